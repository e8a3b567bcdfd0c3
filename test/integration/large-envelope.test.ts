import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseSha256 } from "@quorate/protocol/digest";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestNetwork, type TestNetwork } from "../network.ts";
import { quorate } from "../quorate.ts";
import { samples } from "../samples.ts";

const many = {
  ...samples.steady,
  source: "sample-many",
  morePackages: Array.from({ length: 159 }, (_, index) => `sample-many-${index}`),
};

let net: TestNetwork;

beforeAll(async () => {
  net = await startTestNetwork([many]);
});
afterAll(async () => {
  await net?.[Symbol.asyncDispose]();
});

test("a source that makes 160 packages is rebuilt, replayed and verified, though the log takes no result of it whole", async () => {
  const { rounds } = await net.rebuild(many.source);
  const [{ verdict, target: digest } = { verdict: undefined, target: parseSha256("0".repeat(64)) }] = rounds;
  expect(verdict?.outcome, verdict?.reason).toBe("reproduced");
  expect(verdict?.artifacts).toHaveLength(160);
  const entries = await quorate(["log", "entries", "--data", net.network.layout.root, "--json"]);
  const kinds = entries.stdout
    .trimEnd()
    .split("\n")
    .map((line): string => JSON.parse(line).kind);
  expect(kinds).not.toContain("result");
  expect(kinds.filter((kind) => kind === "large-envelope").length).toBeGreaterThanOrEqual(3);

  const replay = await quorate(["replay", "--data", net.network.layout.root, "--json"]);
  expect(replay).toMatchObject({ code: 0 });
  expect(JSON.parse(replay.stdout)).toMatchObject({ consistent: true, verdicts: [{ outcome: "reproduced" }] });

  const { artifacts } = await net.api.target(digest);
  const last = artifacts.at(-1);
  if (last === undefined) throw new Error("the target has artifacts");
  const [deb, proof] = [join(net.directory, last.file), join(net.directory, "proof.json")];
  await copyFile(join(net.archive.root, last.path), deb);
  await writeFile(proof, await net.api.proof(parseSha256(last.sha256)));
  const verified = await quorate(["verify", deb, "--proof", proof, "--policy", net.network.layout.trustPolicy], { offline: true });
  expect(verified).toMatchObject({ code: 0, stderr: "" });
});
