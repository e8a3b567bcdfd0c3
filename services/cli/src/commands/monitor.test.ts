import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeLogFile, writeTiles } from "@quorate/client/served-log.fixture";
import { utf8 } from "@quorate/protocol/utf8";
import { formatCheckpoint } from "@quorate/tlog/checkpoint";
import { cosign } from "@quorate/tlog/cosignature";
import { testLog, testWitnesses } from "@quorate/tlog/cosigned.fixture";
import { leafHash, rootOf } from "@quorate/tlog/merkle";
import { formatNote, parseNote, signNote } from "@quorate/tlog/note";
import { formatTlogPolicy } from "@quorate/tlog/tlog-policy";
import { witnessedCheckpointPath } from "@quorate/tlog/witness-request";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { recordingContext } from "../recording-terminal.fixture.ts";
import { runMonitor } from "./monitor.ts";
import { runVerifyEvidence } from "./verify-evidence.ts";

const history = (name: string, forkAt: number) =>
  Array.from({ length: 700 }, (_, index) => utf8(`${index < forkAt ? "entry" : name} ${index}`));
const honest = history("entry", 700);
const forked = history("fork", 300);

let directory = "";
let options: { log: string; policy: string; once: true; json: true; mirror: string[] };

/** A checkpoint of one history, cosigned now or as many seconds ago. */
function noteOf(entries: readonly Uint8Array[], size: number, secondsAgo = 0): string {
  const text = formatCheckpoint({ origin: testLog.key.name, size, root: rootOf(entries.slice(0, size).map((entry) => leafHash(entry))) });
  const time = Math.floor(Date.now() / 1000) - secondsAgo;
  const { signatures } = parseNote(signNote(text, [testLog]));
  return formatNote(text, [...signatures, ...testWitnesses.map((signer) => cosign({ text, time, signer }))]);
}

async function publish(place: string, entries: readonly Uint8Array[], size: number, secondsAgo = 0): Promise<void> {
  await writeTiles(join(directory, place), entries.slice(0, size));
  await writeLogFile(join(directory, place), "checkpoint", noteOf(entries, size, secondsAgo));
}

async function alerts(changes: Partial<typeof options> & { freshness?: number } = {}) {
  const context = recordingContext();
  const exitCode = await runMonitor(join(directory, "watch"), { ...options, ...changes }, context);
  return { exitCode, kinds: context.json.map((alert) => (alert as { kind: string }).kind) };
}

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

describe("quorate monitor", () => {
  it("has nothing to report of a log that grows, and keeps every checkpoint", async () => {
    expect(await alerts()).toEqual({ exitCode: 0, kinds: [] });
    await publish("log", honest, 650);
    expect(await alerts()).toEqual({ exitCode: 0, kinds: [] });
    expect(await readdir(join(directory, "watch/checkpoints"))).toHaveLength(2);
  });

  it("proves two histories of one size, of which a witness was shown the other", async () => {
    await writeLogFile(join(directory, "witness"), witnessedCheckpointPath(testLog.key.name), noteOf(forked, 400));
    expect(await alerts()).toEqual({ exitCode: 2, kinds: ["equivocation"] });
    expect(await verdictOn(join(directory, "watch/equivocation-400-400.json"))).toMatchObject({
      exitCode: 0,
      json: [{ equivocated: true, checkpoints: [{ size: 400 }, { size: 400 }] }],
    });
  });

  it("proves two histories of two sizes, of which a mirror was served the other", async () => {
    await publish("mirror", forked, 650);
    expect(await alerts({ mirror: [join(directory, "mirror")] })).toEqual({ exitCode: 2, kinds: ["equivocation"] });
    const file = join(directory, "watch/equivocation-400-650.json");
    expect(await verdictOn(file)).toMatchObject({ exitCode: 0 });
    const forgery = (await readFile(file, "utf8")).replace(String.raw`\n400\n`, String.raw`\n401\n`);
    await writeFile(file, forgery);
    expect(await verdictOn(file)).toMatchObject({ exitCode: 2, json: [{ equivocated: false }] });
  });

  it("remembers what a log showed that now shows another history", async () => {
    await alerts();
    await publish("log", forked, 650);
    expect((await alerts()).kinds).toContain("equivocation");
  });

  it("reports a log that shrank, stale cosignatures, and files that are missing or wrong", async () => {
    await publish("log", honest, 650);
    await alerts();
    await writeLogFile(options.log, "checkpoint", noteOf(honest, 400));
    expect((await alerts()).kinds).toEqual(["shrunk"]);
    await publish("log", honest, 700, 7200);
    expect((await alerts()).kinds).toEqual(["stale"]);
    await publish("log", honest, 650);
    await rm(join(directory, "watch"), { recursive: true });
    await rm(join(options.log, "tile/entries/001"));
    expect((await alerts()).kinds).toContain("files");
  });
});
