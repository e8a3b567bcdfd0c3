import { appendFile, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { writeLogFile, writeTiles } from "@quorate/client/served-log.fixture";
import { utf8 } from "@quorate/protocol/utf8";
import { formatCheckpoint } from "@quorate/tlog/checkpoint";
import { cosign } from "@quorate/tlog/cosignature";
import { testLog, testWitnesses } from "@quorate/tlog/cosigned.fixture";
import { leafHash, rootOf } from "@quorate/tlog/merkle";
import { formatNote, parseNote, signNote } from "@quorate/tlog/note";
import { formatTlogPolicy } from "@quorate/tlog/tlog-policy";
import { witnessedCheckpointPath } from "@quorate/tlog/witness-request";
import { TestNetwork } from "@quorate/verdict/network.fixture";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { recordingContext } from "../recording-terminal.fixture.ts";
import { type MonitorOptions, runMonitor } from "./monitor.ts";
import { runVerifyEvidence } from "./verify-evidence.ts";

const history = (name: string, forkAt: number) =>
  Array.from({ length: 700 }, (_, index) => utf8(`${index < forkAt ? "entry" : name} ${index}`));
const honest = history("entry", 700);
const forked = history("fork", 300);
const forkedElsewhere = history("another fork", 300);

let directory = "";
let options: { log: string; policy: string; once: true; json: true; mirror: string[] };

type Cosigning = { secondsAgo?: number; by?: typeof testWitnesses };

/** A checkpoint of one history, cosigned now or as many seconds ago, by all witnesses or some. */
function noteOf(entries: readonly Uint8Array[], size: number, { secondsAgo = 0, by = testWitnesses }: Cosigning = {}): string {
  const text = formatCheckpoint({ origin: testLog.key.name, size, root: rootOf(entries.slice(0, size).map((entry) => leafHash(entry))) });
  const time = Math.floor(Date.now() / 1000) - secondsAgo;
  const { signatures } = parseNote(signNote(text, [testLog]));
  return formatNote(text, [...signatures, ...by.map((signer) => cosign({ text, time, signer }))]);
}

async function publish(place: string, entries: readonly Uint8Array[], size: number, cosigning?: Cosigning): Promise<void> {
  await writeTiles(join(directory, place), entries.slice(0, size));
  await writeLogFile(join(directory, place), "checkpoint", noteOf(entries, size, cosigning));
}

const showAtWitness = (note: string) => writeLogFile(join(directory, "witness"), witnessedCheckpointPath(testLog.key.name), note);

async function alerts(changes: Partial<MonitorOptions> = {}) {
  const context = recordingContext();
  const exitCode = await runMonitor(join(directory, "watch"), { ...options, ...changes }, context);
  const found = context.json.map((alert) => alertSchema.parse(alert));
  return {
    exitCode,
    kinds: found.map(({ kind }) => kind),
    found,
    evidence: found.flatMap(({ evidence }) => evidence ?? []),
    said: context.said,
  };
}

const alertSchema = z.object({
  kind: z.string(),
  place: z.string(),
  reason: z.string(),
  evidence: z.string().optional(),
  index: z.int().optional(),
  rule: z.string().optional(),
});

async function verdictOn(file: string) {
  const context = recordingContext();
  return { exitCode: await runVerifyEvidence(file, options, context), json: context.json };
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "quorate-monitor-"));
  options = { log: join(directory, "log"), policy: join(directory, "policy"), once: true, json: true, mirror: [] };
  const [first, ...rest] = testWitnesses.map(({ key }) => ({ name: key.name, key }));
  if (first === undefined) throw new Error("no witness");
  const witnesses = [{ ...first, url: `file://${join(directory, "witness")}` }, ...rest];
  const groups = [{ name: "most", threshold: 3, members: witnesses.map(({ name }) => name) }];
  await writeFile(options.policy, formatTlogPolicy({ logs: [{ key: testLog.key }], witnesses, groups, quorum: "most" }));
  await publish("log", honest, 400);
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const nothing = { exitCode: 0, kinds: [] };

describe("quorate monitor", () => {
  it("has nothing to report of a log that grows, and keeps every checkpoint", async () => {
    expect(await alerts()).toMatchObject(nothing);
    await publish("log", honest, 650);
    expect(await alerts()).toMatchObject(nothing);
    expect(await readdir(join(directory, "watch/checkpoints"))).toHaveLength(2);
  });

  it("proves two histories of one size, of which a witness was shown the other, and says so at each look", async () => {
    await showAtWitness(noteOf(forked, 400));
    const { evidence, ...found } = await alerts();
    expect(found).toMatchObject({ exitCode: 2, kinds: ["equivocation"] });
    expect(await verdictOn(String(evidence))).toMatchObject({
      exitCode: 0,
      json: [{ equivocated: true, checkpoints: [{ size: 400 }, { size: 400 }] }],
    });
    expect((await alerts()).evidence).toContain(String(evidence));
  });

  it("proves two histories of two sizes, of which a mirror was served the other, whichever is larger", async () => {
    await publish("mirror", forked, 650);
    const mirror = [join(directory, "mirror")];
    const { evidence, ...found } = await alerts({ mirror });
    expect(found).toMatchObject({ exitCode: 2, kinds: ["equivocation"] });
    expect(await verdictOn(String(evidence))).toMatchObject({ exitCode: 0 });
    // Now the mirror's is the largest that was seen, and its tiles are not the log's.
    expect((await alerts({ mirror })).found).toMatchObject([
      { kind: "equivocation", place: expect.stringContaining("/log"), evidence: String(evidence) },
    ]);
    const forgery = (await readFile(String(evidence), "utf8")).replace(String.raw`\n400\n`, String.raw`\n401\n`);
    await writeFile(String(evidence), forgery);
    expect(await verdictOn(String(evidence))).toMatchObject({ exitCode: 2, json: [{ equivocated: false }] });
  });

  it("keeps the evidence of three histories of the same sizes in files of their own", async () => {
    await publish("log", honest, 650);
    for (const entries of [forked, forkedElsewhere, forked]) {
      await showAtWitness(noteOf(entries, 400));
      expect((await alerts()).kinds).toContain("equivocation");
    }
    const files = (await readdir(join(directory, "watch"))).filter((name) => /^equivocation-400-.*-650-/.test(name));
    expect(files).toHaveLength(2);
    for (const file of files) expect(await verdictOn(join(directory, "watch", file))).toMatchObject({ exitCode: 0 });
  });

  it("waits for a log that is behind what a witness was shown, then proves that it came to another tree", async () => {
    await showAtWitness(noteOf(forked, 500));
    expect(await alerts()).toMatchObject(nothing);
    await rm(join(directory, "witness"), { recursive: true });
    expect((await alerts()).kinds).toEqual(["shrunk"]);
    await publish("log", honest, 650);
    const { kinds, evidence } = await alerts();
    expect(kinds).toEqual(["equivocation"]);
    expect(await verdictOn(String(evidence))).toMatchObject({ json: [{ checkpoints: [{ size: 500 }, { size: 650 }] }] });
  });

  it("compares all that was shown ahead of the log, not the largest alone", async () => {
    await showAtWitness(noteOf(forked, 500));
    await alerts();
    await showAtWitness(noteOf(honest, 600));
    await alerts();
    await publish("log", honest, 650);
    expect((await alerts()).found).toMatchObject([{ kind: "equivocation", reason: expect.stringContaining("one of 500") }]);
    expect(await alerts()).toMatchObject(nothing);
  });

  it("remembers what a log showed that now shows another history", async () => {
    await alerts();
    await publish("log", forked, 650);
    expect((await alerts()).kinds).toContain("equivocation");
  });

  it("reports a log that shrank, and one whose quorum is old or missing", async () => {
    await publish("log", honest, 650);
    await alerts();
    await writeLogFile(options.log, "checkpoint", noteOf(honest, 400));
    expect((await alerts()).kinds).toEqual(["shrunk"]);
    await publish("log", honest, 700, { secondsAgo: 7200 });
    expect((await alerts()).kinds).toEqual(["stale"]);
    await publish("log", honest, 700, { by: testWitnesses.slice(0, 2) });
    expect((await alerts()).kinds).toEqual(["below-quorum"]);
  });

  it("reports a quorum of the future: of such a log nobody knows how old it is", async () => {
    await publish("log", honest, 650, { secondsAgo: -7200 });
    expect((await alerts()).kinds).toEqual(["ahead"]);
  });

  it("reports files that are missing or wrong", async () => {
    await publish("log", honest, 650);
    await rm(join(options.log, "tile/entries/001"));
    expect((await alerts()).kinds).toContain("files");
  });

  it("names a witness whose cosignature is missing from three checkpoints, until it cosigns again", async () => {
    const by = testWitnesses.slice(0, 3);
    for (const size of [400, 500]) {
      await publish("log", honest, size, { by });
      expect(await alerts()).toMatchObject(nothing);
    }
    await publish("log", honest, 600, { by });
    expect((await alerts()).found).toMatchObject([
      {
        kind: "lagging",
        place: "witness w5.example",
        reason: expect.stringMatching(/missing from the last 3 checkpoints .400, 500, 600 .*none was seen/),
      },
    ]);
    await publish("log", honest, 700);
    expect(await alerts()).toMatchObject(nothing);
  });

  it("names a witness whose newest cosignature is older than the others' by more than the limit", async () => {
    await publish("log", honest, 400, { secondsAgo: 3000 });
    expect(await alerts()).toMatchObject(nothing);
    await publish("log", honest, 400, { by: testWitnesses.slice(0, 3) });
    expect(await alerts()).toMatchObject(nothing);
    expect((await alerts({ freshness: 1000 })).found).toMatchObject([
      { kind: "lagging", place: "witness w5.example", reason: expect.stringMatching(/is \d{4} s older/) },
    ]);
  });

  it("recomputes verdicts where the policy names the network, and names one that its evidence does not give", async () => {
    const network = new TestNetwork();
    const round = network.rebuild();
    await publish("log", network.entries, network.entries.length);
    expect((await alerts()).said).toEqual(["note: verdicts are not recomputed: the policy has no network line"]);
    await appendFile(options.policy, `network test ${Buffer.from(network.networkKey.spki).toString("base64")}\n`);
    const data = join(directory, "data");
    for (const [sha256, bytes] of network.blobs) {
      await writeLogFile(join(data, "coordinator/blobs", sha256.slice(0, 2)), `${sha256.slice(2)}.zst`, zstdCompressSync(bytes));
    }
    expect(await alerts({ data })).toMatchObject({ ...nothing, said: [] });
    network.appendVerdict({ ...network.verdictOf(round), outcome: "mismatch" });
    await publish("log", network.entries, network.entries.length);
    expect(await alerts({ data })).toMatchObject({
      exitCode: 2,
      found: [
        {
          kind: "broken-rule",
          index: network.entries.length - 1,
          rule: "unique",
          reason: expect.stringContaining("an earlier entry for verdict/"),
        },
      ],
    });
  });

  it("says which of its files was damaged and what to do", async () => {
    await alerts();
    const [name = ""] = await readdir(join(directory, "watch/checkpoints"));
    const file = join(directory, "watch/checkpoints", name);
    const kept = await readFile(file, "utf8");
    for (const damaged of [kept.slice(0, 40), kept.replace("\n400\n", "\n401\n"), noteOf(forked, 400)]) {
      await writeFile(file, damaged);
      await expect(alerts()).rejects.toThrow(
        /checkpoints.*a checkpoint that was seen before: .*; put it back from a copy, or move it elsewhere/,
      );
    }
    await writeFile(file, kept);
    await writeFile(join(directory, "watch/witnesses"), "{");
    await expect(alerts()).rejects.toThrow(/reading what is known of the witnesses from .*; delete it/);
  });
});
