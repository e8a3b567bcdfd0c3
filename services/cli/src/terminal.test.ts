import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { writeLogFile, writeTiles } from "@quorate/client/served-log.fixture";
import { formatProof } from "@quorate/verdict/proof";
import { formatTrustPolicy } from "@quorate/verdict/trust-policy";
import { TestNetwork } from "@quorate/verdict/network.fixture";
import { afterAll, beforeAll, expect, it } from "vitest";

let directory = "";
const at = (name: string) => join(directory, name);

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "quorate-terminal-"));
  const network = new TestNetwork();
  network.rebuild();
  await writeFile(at("mailgraph_1.14-20_all.deb"), "reference");
  await writeFile(at("other.deb"), "other bytes");
  await writeFile(at("proof"), formatProof(network.proof()));
  await writeFile(at("policy"), formatTrustPolicy(network.trustPolicy()));
  await writeTiles(at("log"), network.entries);
  await writeLogFile(at("log"), "checkpoint", network.proof([]).checkpoint);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Runs the command with a pipe for its output whose other end is closed before it starts. */
async function runUnread(...words: string[]): Promise<{ code: unknown; said: string }> {
  const command = [process.execPath, join(import.meta.dirname, "main.ts"), ...words];
  const child = spawn("sh", ["-c", 'read -r go && exec "$@"', "sh", ...command], { stdio: "pipe" });
  const ended = once(child, "close");
  child.stdout.destroy();
  await once(child.stdout, "close");
  child.stdin.end("go\n");
  const [said, [code]] = await Promise.all([text(child.stderr), ended]);
  return { code, said };
}

it.each([
  ["what is refuted stays refuted", 2, "other.deb"],
  ["what is verified stays verified", 0, "mailgraph_1.14-20_all.deb"],
])("when nobody reads the output, %s, and nothing is said of it", async (_what, code, deb) => {
  const words = ["verify", at(deb), "--proof", at("proof"), "--policy", at("policy"), "--json"];
  expect(await runUnread(...words)).toEqual({ code, said: "" });
});

it("a command that would go on is ended when nobody reads its output", async () => {
  const words = ["log", "mirror", at("mirror"), "--serve", "0", "--log", at("log"), "--policy", at("policy")];
  expect(await runUnread(...words)).toEqual({ code: 141, said: "" });
});
