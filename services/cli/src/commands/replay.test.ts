import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeLogFile, writeTiles } from "@quorate/client/served-log.fixture";
import { defaultRules } from "@quorate/protocol/policy";
import { TestNetwork } from "@quorate/verdict/network.fixture";
import { formatTrustPolicy } from "@quorate/verdict/trust-policy";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serveBlobs } from "../blob-server.fixture.ts";
import { recordingContext } from "../recording-terminal.fixture.ts";
import { runLogEntries, runLogEntry } from "./log.ts";
import { runReplay } from "./replay.ts";

let directory = "";
let blobServer: Awaited<ReturnType<typeof serveBlobs>>;
const network = new TestNetwork();
const forged = new TestNetwork();

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "quorate-replay-"));
  network.rebuild();
  const round = forged.rebuild();
  forged.appendVerdict({ ...forged.verdictOf(round), outcome: "mismatch" });
  for (const [name, log] of [
    ["honest", network],
    ["forged", forged],
  ] as const) {
    await writeTiles(join(directory, name), log.entries);
    await writeLogFile(join(directory, name), "checkpoint", log.proof([]).checkpoint);
  }
  await writeLogFile(directory, "policy", formatTrustPolicy(network.trustPolicy()));
  blobServer = await serveBlobs(network.blobs);
});
afterAll(async () => {
  await blobServer[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

function options(log: string) {
  return { log: join(directory, log), policy: join(directory, "policy"), url: blobServer.url, json: true };
}

describe("quorate replay", () => {
  it("recomputes every verdict of a served log", async () => {
    const context = recordingContext();
    expect(await runReplay(options("honest"), context)).toBe(0);
    expect(context.json).toMatchObject([{ consistent: true, entries: network.entries.length, verdicts: [{ outcome: "reproduced" }] }]);
  });

  it("names a verdict that the network's key signed and the evidence does not give, with exit code 2", async () => {
    const context = recordingContext();
    expect(await runReplay(options("forged"), context)).toBe(2);
    expect(context.json).toMatchObject([{ consistent: false, index: forged.entries.length - 1 }]);
  });

  it("says which verdicts are others under rules of the reader's own", async () => {
    const rules = join(directory, "rules.json");
    await writeFile(rules, JSON.stringify({ ...defaultRules, diversity: [{ group: "country", distinct: 2 }] }));
    const context = recordingContext();
    expect(await runReplay({ ...options("honest"), rules }, context)).toBe(0);
    expect(context.json).toMatchObject([{ consistent: true, verdicts: [{ outcome: "reproduced", ownOutcome: "inconclusive" }] }]);
    const people = recordingContext();
    await runReplay({ ...options("honest"), rules, json: false }, people);
    expect(people.printed).toContainEqual(expect.stringContaining("by your own rules the verdict at 12 is inconclusive, not reproduced"));
    await writeFile(rules, JSON.stringify({ ...defaultRules, threshold: 9 }));
    await expect(runReplay({ ...options("honest"), rules }, recordingContext())).rejects.toThrow(
      /committeeSize must be at least threshold/,
    );
  });

  it("refuses a log whose entries are not those of its checkpoint, with exit code 2", async () => {
    const altered = network.entries.toReversed();
    await writeTiles(join(directory, "altered"), altered);
    await writeLogFile(join(directory, "altered"), "checkpoint", network.proof([]).checkpoint);
    expect(await runReplay(options("altered"), recordingContext())).toBe(2);
  });
});

describe("quorate log", () => {
  it("lists entries, one line each, and shows one whole", async () => {
    const listed = recordingContext();
    await runLogEntries({ log: join(directory, "honest"), from: "0", to: "5" }, listed);
    expect(listed.printed.map((line) => line.slice(4, 14).trim())).toEqual(["policy", "operator", "operator", "operator", "target"]);
    const shown = recordingContext();
    await runLogEntry("4", { log: join(directory, "honest"), json: true }, shown);
    expect(shown.json).toMatchObject([{ index: 4, kind: "target", target: { source: "mailgraph" } }]);
  });

  it("says how many entries there are when an index is beyond the last", async () => {
    await expect(runLogEntry("4000", { log: join(directory, "honest") }, recordingContext())).rejects.toThrow(/the log has \d+ entries/);
  });
});
