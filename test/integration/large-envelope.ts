import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseSha256 } from "@quorate/protocol/digest";
import { expect } from "vitest";
import type { TestNetwork } from "../network.ts";
import { quorate } from "../quorate.ts";
import { samples } from "../samples.ts";
import type { SmallSource } from "../small-archive.ts";

/** Long names make a result too large for an entry with half the packages that short ones would take. */
const name = (index: number) => `sample-many-${"long-".repeat(15)}${index}`;
export const many = {
  ...samples.steady,
  source: "sample-many",
  version: `1.0+${"long.".repeat(25)}1`,
  morePackages: Array.from({ length: 79 }, (_, index) => name(index)),
} satisfies SmallSource;

/** Rebuilds a source whose results no entry holds, and replays the log; what `quorate verify` answers about the last of its packages. */
export async function verifyLargeEnvelopes(net: TestNetwork): ReturnType<typeof quorate> {
  const { rounds } = await net.rebuild(many.source);
  const [{ round, verdict, target: digest } = { round: "", verdict: undefined, target: parseSha256("0".repeat(64)) }] = rounds;
  expect(verdict?.outcome, verdict?.reason).toBe("reproduced");
  expect(verdict?.artifacts).toHaveLength(1 + many.morePackages.length);
  const entries = await quorate(["log", "entries", "--data", net.network.layout.root, "--json"]);
  const logged = entries.stdout
    .trimEnd()
    .split("\n")
    .map((line): { kind: string; result?: { round: string } } => JSON.parse(line));
  expect(logged.filter(({ kind, result }) => kind === "result" && result?.round === round)).toEqual([]);
  expect(logged.filter(({ kind }) => kind === "large-envelope").length).toBeGreaterThanOrEqual(3);

  const replay = await quorate(["replay", "--data", net.network.layout.root, "--json"]);
  expect(replay).toMatchObject({ code: 0 });
  const replayed = JSON.parse(replay.stdout);
  expect(replayed).toMatchObject({ consistent: true });
  expect(replayed.verdicts).toContainEqual(expect.objectContaining({ round, outcome: "reproduced" }));

  const { artifacts } = await net.api.target(digest);
  const last = artifacts.at(-1);
  if (last === undefined) throw new Error("the target has no artifacts");
  const [deb, proof] = [join(net.directory, last.file), join(net.directory, "many-proof.json")];
  await copyFile(join(net.archive.root, last.path), deb);
  await writeFile(proof, await net.api.proof(parseSha256(last.sha256)));
  return await quorate(["verify", deb, "--proof", proof, "--policy", net.network.layout.trustPolicy], { offline: true });
}
