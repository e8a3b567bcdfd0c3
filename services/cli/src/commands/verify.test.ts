import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatProof } from "@quorate/verdict/proof";
import { formatTrustPolicy } from "@quorate/verdict/trust-policy";
import { TestNetwork } from "@quorate/verdict/network.fixture";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CommandError } from "../command-error.ts";
import { recordingContext } from "../recording-terminal.fixture.ts";
import { runVerify } from "./verify.ts";

let directory = "";
const paths = () => ({
  deb: join(directory, "mailgraph_1.14-20_all.deb"),
  proof: join(directory, "proof.json"),
  policy: join(directory, "policy"),
});

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "quorate-verify-"));
  const network = new TestNetwork();
  network.rebuild();
  await writeFile(paths().deb, "reference");
  await writeFile(paths().proof, formatProof(network.proof()));
  await writeFile(paths().policy, formatTrustPolicy(network.trustPolicy()));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** The exit code with one bit of one file flipped. */
async function withFlippedBit(file: "deb" | "proof" | "policy", position: number): Promise<number> {
  const { deb, proof, policy } = paths();
  const files = { deb, proof, policy, [file]: join(directory, "altered") };
  const bytes = await readFile(paths()[file]);
  bytes[position] = (bytes[position] ?? 0) ^ 1;
  await writeFile(files[file], bytes);
  return runVerify(files.deb, files, recordingContext()).catch((error: unknown) => {
    if (error instanceof CommandError) return error.exitCode;
    throw error;
  });
}

describe("quorate verify", () => {
  it("shows the chain from the artifact to the witnesses, from three files alone", async () => {
    const { deb, proof, policy } = paths();
    const context = recordingContext({ HOME: "/nonexistent" });
    expect(await runVerify(deb, { proof, policy }, context)).toBe(0);
    const text = context.printed.join("\n");
    expect(text).toMatch(/^verified: .*mailgraph_1\.14-20_all\.deb$/m);
    expect(text).toMatch(/^ {2}verdict {5}reproduced/m);
    expect(text).toMatch(/^ +ada +[0-9a-f]{32} {2}log entry \d+$/m);
    expect(text).toMatch(/^ {2}log entry {3}\d+ of log\.example$/m);
    expect(text).toMatch(/^ {2}witnesses {3}w2\.example at 1970-01-01T00:16:40Z, /m);
  });

  it("prints one JSON object when asked to, verified or not", async () => {
    const { deb, proof, policy } = paths();
    const good = recordingContext();
    await runVerify(deb, { proof, policy, json: true }, good);
    expect(good.json).toMatchObject([{ verified: true, verdict: { outcome: "reproduced" }, checkpoint: { origin: "log.example" } }]);
    const other = join(directory, "other.deb");
    await writeFile(other, "something else");
    const bad = recordingContext();
    expect(await runVerify(other, { proof, policy, json: true }, bad)).toBe(2);
    expect(bad.json).toMatchObject([{ verified: false, reason: expect.stringContaining("has no file") as unknown }]);
  });

  it("fails with exit code 2 for a flipped bit in the package", async () => {
    expect(await withFlippedBit("deb", 3)).toBe(2);
  });

  it.each(["proof", "policy"] as const)("fails with exit code 2 for a flipped bit anywhere in the %s", async (file) => {
    const { length } = await readFile(paths()[file]);
    const step = Math.ceil(length / 40);
    const accepted: number[] = [];
    for (let position = 0; position < length; position += step) {
      // The name of an operator or network is the reader's own label: another letter in it is no other trust.
      const label = file === "policy" && /\n(?:operator|network) \S*$/.test((await readFile(paths().policy, "latin1")).slice(0, position));
      if ((await withFlippedBit(file, position)) !== 2 && !label) accepted.push(position);
    }
    expect(accepted).toEqual([]);
  });

  it("says which file it cannot read, with exit code 1", async () => {
    const { deb, proof } = paths();
    const missing = runVerify(deb, { proof, data: join(directory, "none") }, recordingContext());
    await expect(missing).rejects.toThrow(CommandError);
    await expect(missing).rejects.toMatchObject({
      exitCode: 1,
      message: expect.stringMatching(/reading the policy .*none\/policy: .*; give --policy FILE/) as unknown,
    });
  });
});
