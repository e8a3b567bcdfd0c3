import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { type TraceFile, formatTrace } from "@quorate/attestation/build-trace";
import { digestOf } from "@quorate/attestation/nouns.fixture";
import { writeLogFile, writeTiles } from "@quorate/client/served-log.fixture";
import { parseEnvelope } from "@quorate/attestation/dsse";
import { type Sha256, sha256Of } from "@quorate/protocol/digest";
import { utf8 } from "@quorate/protocol/utf8";
import { formatBundle } from "@quorate/signing/bundle";
import { TestNetwork, honestTrace } from "@quorate/verdict/network.fixture";
import { formatTrustPolicy } from "@quorate/verdict/trust-policy";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { recordingContext } from "../recording-terminal.fixture.ts";
import { layoutOf } from "../up/layout.ts";
import { runTraceDiff } from "./trace-diff.ts";

const names = ["ada", "bert", "cyd", "dora", "eve"];
const otherTrace: TraceFile[] = [
  ...honestTrace.slice(0, 8),
  ...honestTrace.slice(8, 11).map((file) => ({ ...file, sha256: digestOf("other") })),
  { path: "doc/a\u001b[31m.txt", sizeBytes: 3, sha256: digestOf("new") },
];

const network = new TestNetwork({ committeeSize: names.length });
/** Log index of each operator's result. */
const at: Record<string, string> = {};
let directory = "";
let tampered: Sha256;
let options: { data: string; log: string; policy: string };
const pathOf = (name: string): string => join(directory, name);

async function saveBlob(sha256: Sha256, bytes: Uint8Array): Promise<void> {
  const blobs = join(layoutOf(directory).directory("coordinator"), "blobs");
  await writeLogFile(blobs, join(sha256.slice(0, 2), `${sha256.slice(2)}.zst`), zstdCompressSync(bytes));
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "quorate-trace-"));
  network.appendPolicy();
  for (const name of names) network.enrol(name);
  network.appendTarget();
  const round = network.roundFor();
  network.appendRound(round);
  const results = [
    network.signResult("ada", { round }),
    network.signResult("bert", { round, trace: otherTrace }),
    network.signResult("cyd", { round, trace: honestTrace.slice(0, 9) }),
    network.signResult("dora", { round, trace: honestTrace.slice(0, 10), result: { trace: { rootSha256: digestOf("root"), files: 10 } } }),
    network.signResult("eve", { round, failure: "build-failed" }),
  ];
  for (const result of results) network.commit(result);
  for (const { signer, bytes } of results) at[signer.name] = String(network.appendBytes(bytes));
  await writeTiles(pathOf("log"), network.entries);
  await writeLogFile(pathOf("log"), "checkpoint", network.proof([]).checkpoint);
  await writeLogFile(directory, "policy", formatTrustPolicy(network.trustPolicy()));
  for (const [sha256, bytes] of network.blobs) await saveBlob(sha256, bytes);
  tampered = sha256Of(utf8(formatTrace(honestTrace.slice(0, 9))));
  await saveBlob(tampered, utf8(formatTrace(honestTrace)));
  const [ada] = results;
  if (ada) await writeFile(pathOf("ada.sigstore.json"), formatBundle(parseEnvelope(ada.bytes), ada.signer.spki));
  if (ada) await writeFile(pathOf("ada.json"), ada.bytes);
  await writeFile(pathOf("own.trace"), formatTrace(honestTrace));
  await writeFile(pathOf("junk"), "neither\n");
  options = { data: directory, log: pathOf("log"), policy: pathOf("policy") };
});
afterAll(async () => await rm(directory, { recursive: true, force: true }));

describe("quorate trace diff", () => {
  test.each(["own.trace", "ada.sigstore.json", "ada.json"])(
    "finds one trace in a logged result and in the file %s: exit code 0",
    async (file) => {
      const context = recordingContext();
      expect(await runTraceDiff([at["ada"] ?? "", pathOf(file)], { ...options, json: true }, context)).toBe(0);
      expect(context.json).toMatchObject([{ same: true, equal: 12, agreement: "corroborates", groups: [] }]);
    },
  );

  test("names the files that differ, and those that are left out, with exit code 1", async () => {
    const context = recordingContext();
    expect(await runTraceDiff([at["ada"] ?? "", at["bert"] ?? ""], { ...options, json: true }, context)).toBe(1);
    const report = context.json[0];
    expect(report).toMatchObject({ same: false, agreement: "contradicts", equal: 8, rule: { sharePercent: 80, minimumFiles: 8 } });
    expect(report).toMatchObject({ first: { index: Number(at["ada"]) }, onlyInFirst: [{ path: "build/file-11.o" }] });
    const differing = ["build/file-10.o", "build/file-8.o", "build/file-9.o"].map((path) => ({
      path,
      second: { sha256: digestOf("other") },
    }));
    expect(report).toMatchObject({ different: differing, onlyInSecond: [{ path: "doc/a%1B[31m.txt" }] });
  });

  test("says for people what it means, and prints no control character of a path", async () => {
    const context = recordingContext();
    await runTraceDiff([at["ada"] ?? "", at["bert"] ?? ""], options, context);
    const text = context.printed.join("\n");
    for (const part of [
      "8 of the 11 files",
      "3 differ, 1 in the first only, 8 equal",
      "they contradict each other",
      "left out  1 file in",
    ]) {
      expect(text).toContain(part);
    }
    expect(text).not.toContain("\u001b");
  });

  test.each([
    ["a trace whose kept bytes are others", () => [at["ada"], at["cyd"]], /digest differs/],
    ["a trace that its operator did not sign", () => [at["dora"], at["ada"]], /not the one that is described/],
    ["a failed build", () => [at["ada"], at["eve"]], /failed build .* no build trace/],
    ["an entry that is no result", () => ["0", at["ada"]], /0 is no result; what it says is of kind policy/],
    ["an index beyond the log", () => [at["ada"], "4000"], /has \d+ entries/],
    ["what is neither index nor file", () => [at["ada"], "nosuch"], /no log index, no ROUND\/OPERATOR, and no file/],
    ["a file that is no trace", () => [pathOf("junk"), at["ada"]], /parsing line of a build trace/],
    ["a round where no network is known", () => [`${"0".repeat(64)}/ada`, at["ada"]], /no network is known/],
  ])("refuses %s, with exit code 2 and the reason", async (_, pair, reason) => {
    const [first = "", second = ""] = pair();
    await expect(runTraceDiff([first, second], options, recordingContext())).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(reason),
    });
  });
});
