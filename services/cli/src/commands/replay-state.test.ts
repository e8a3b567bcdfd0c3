import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sampleTarget } from "@quorate/attestation/nouns.fixture";
import { writeLogFile, writeTiles } from "@quorate/client/served-log.fixture";
import { cosigned, testWitnesses } from "@quorate/tlog/cosigned.fixture";
import { TestNetwork } from "@quorate/verdict/network.fixture";
import { formatTrustPolicy } from "@quorate/verdict/trust-policy";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serveBlobs } from "../blob-server.fixture.ts";
import { recordingContext } from "../recording-terminal.fixture.ts";
import { runReplay } from "./replay.ts";

const network = new TestNetwork();
const names = ["ada", "bert", "cyd"];
let directory = "";
let blobServer: Awaited<ReturnType<typeof serveBlobs>>;
let onBlob = (): void => {};

/** A settled round, a changed key, a round with another target, and a second attempt whose last result comes after its verdict. */
function fill(): void {
  network.rebuild();
  network.rotate("ada", "ada, renewed");
  const other = { ...sampleTarget, component: "contrib" };
  network.appendTarget(other);
  for (const round of [network.roundFor(other), network.roundFor(sampleTarget, 2)]) {
    network.appendRound(round);
    const results = names.map((name) => network.signResult(name, { round, key: name === "ada" ? "ada, renewed" : name }));
    for (const result of results) network.commit(result);
    const [late, ...early] = results;
    for (const { bytes } of early) network.appendBytes(bytes);
    for (const result of early) network.appendRecord(result);
    network.appendVerdict(network.verdictOf(round));
    if (late) network.appendBytes(late.bytes);
  }
  network.revoke("cyd");
}

/** The log as it was when it had `size` entries. */
async function serveLog(size: number): Promise<string> {
  const log = join(directory, `log-${size}`);
  await writeTiles(log, network.entries.slice(0, size));
  await writeLogFile(log, "checkpoint", cosigned({ size, root: network.tree.rootAt(size) }, testWitnesses));
  return log;
}

async function replay(log: string, state?: string, signal = new AbortController().signal) {
  const context = { ...recordingContext(), signal };
  const options = { log, policy: join(directory, "policy"), url: blobServer.url, state, json: true };
  const code = await runReplay(options, context);
  return { code, report: context.json[0] as Record<string, unknown> };
}

beforeAll(async () => {
  fill();
  directory = await mkdtemp(join(tmpdir(), "quorate-replay-state-"));
  await writeLogFile(directory, "policy", formatTrustPolicy(network.trustPolicy()));
  blobServer = await serveBlobs(network.blobs, () => onBlob());
});
afterAll(async () => {
  await blobServer[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

describe("quorate replay --state", () => {
  it("comes to the same as one run, wherever the log was when it was replayed before", async () => {
    const size = network.entries.length;
    const whole = await serveLog(size);
    const { report: expected } = await replay(whole);
    expect(expected).toMatchObject({ consistent: true, entries: size, verdicts: [{}, {}, { unrevealed: [] }] });
    for (let before = 1; before < size; before += 1) {
      const state = join(directory, `state-${before}`);
      expect((await replay(await serveLog(before), state)).code).toBe(0);
      expect((await replay(whole, state)).report).toEqual({ ...expected, from: before });
    }
    expect(expected).toMatchObject({ from: 0 });
  });

  it("goes on after Ctrl-C where it was, and comes to the same", async () => {
    const whole = await serveLog(network.entries.length);
    const state = join(directory, "interrupted");
    const interrupt = new AbortController();
    onBlob = () => interrupt.abort(new Error("interrupted"));
    await expect(replay(whole, state, interrupt.signal)).rejects.toThrow(/interrupted/);
    onBlob = () => {};
    const { report } = await replay(whole, state);
    expect(Number(report["from"])).toBeGreaterThan(names.length);
    expect(report).toEqual({ ...(await replay(whole)).report, from: report["from"] });
  });

  it("knows what a log must not do twice though it did it before: the second verdict of a round is refused", async () => {
    const forged = new TestNetwork();
    const round = forged.rebuild();
    const size = forged.entries.length;
    forged.appendVerdict(forged.verdictOf(round));
    const log = join(directory, "forged");
    const state = join(directory, "forged-state");
    for (const count of [size, size + 1]) {
      await writeTiles(log, forged.entries.slice(0, count));
      await writeLogFile(log, "checkpoint", cosigned({ size: count, root: forged.tree.rootAt(count) }, testWitnesses));
      const { code, report } = await replay(log, state);
      if (count === size) expect(code).toBe(0);
      else expect({ code, report }).toMatchObject({ code: 2, report: { consistent: false, index: size, rule: "unique" } });
    }
  });

  it.each([
    ["of another log", (text: string) => text.replace('"origin":"log.example"', '"origin":"log.other"'), /it is about the log log.other/],
    ["of a newer version", (text: string) => text.replace("replay-state/v1", "replay-state/v2"), /has the format .*v2/],
    ["with another network's key", (text: string) => text.replace(/"networkKey":"MFk/, '"networkKey":"MFl'), /another network's key/],
    ["that lost its end", (text: string) => text.slice(0, -20), /it is damaged/],
    ["with a changed byte", (text: string) => text.replace('"settled":[{"round":"', '"settled":[{"round":"0'), /it is damaged/],
    ["that is something else", () => "hello\n", /reading the state/],
  ])("refuses a state %s, and says what to do", async (_, change, reason) => {
    const state = join(directory, "changed");
    const log = await serveLog(network.entries.length);
    await rm(state, { force: true });
    await replay(log, state);
    await writeFile(state, change(await readFile(state, "utf8")));
    await expect(replay(log, state)).rejects.toThrow(reason);
    await expect(replay(log, state)).rejects.toThrow(/give another file to --state, or delete it/);
  });

  it("says which state it cannot write, and what to do", async () => {
    const state = join(directory, "nowhere", "state");
    await expect(replay(await serveLog(12), state)).rejects.toThrow(
      `writing ${state}: no such file or directory; make room, or name a place that this user can write`,
    );
  });

  it("refuses a log that was rolled back, and one that changed what it had said, with exit code 2", async () => {
    const state = join(directory, "rolled-back");
    await replay(await serveLog(12), state);
    const rolledBack = await replay(await serveLog(11), state);
    expect(rolledBack).toMatchObject({
      code: 2,
      report: { reason: expect.stringMatching(/first 12 entries.*has 11: the log was rolled back/) },
    });
    const other = new TestNetwork({ commitDeadlineSeconds: 1 });
    other.rebuild();
    for (const name of names) other.revoke(name);
    await writeTiles(join(directory, "other"), other.entries);
    await writeLogFile(join(directory, "other"), "checkpoint", other.proof([]).checkpoint);
    const changed = await replay(join(directory, "other"), state);
    expect(changed).toMatchObject({ code: 2, report: { reason: expect.stringMatching(/they now have another root/) } });
  });
});
