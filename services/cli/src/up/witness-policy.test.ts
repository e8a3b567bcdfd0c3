import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testLog, testWitnesses } from "@quorate/tlog/cosigned.fixture";
import { formatVkey } from "@quorate/tlog/note";
import { formatTlogPolicy } from "@quorate/tlog/tlog-policy";
import { afterAll, beforeAll, expect, it } from "vitest";
import { newSettings } from "./settings.ts";
import { loadWitnessPolicy } from "./witness-policy.ts";

let directory = "";
beforeAll(async () => (directory = await mkdtemp(join(tmpdir(), "quorate-witnesses-"))));
afterAll(() => rm(directory, { recursive: true, force: true }));

const [first, second, outside] = testWitnesses.map(({ key }) => key);
if (first === undefined || second === undefined || outside === undefined) throw new Error("there are fewer than three test witnesses");

async function policyOf(foreign: string | undefined): Promise<string> {
  const path = join(directory, "foreign-witnesses");
  await rm(path, { force: true });
  if (foreign !== undefined) await writeFile(path, foreign);
  const keys = {
    log: testLog.key,
    witnesses: [first, second].flatMap((key, index) => (key === undefined ? [] : [{ name: `witness-${index + 1}`, key }])),
    network: new Uint8Array(0),
    operators: [],
  };
  return formatTlogPolicy(await loadWitnessPolicy(path, await newSettings({ port: 8555, operators: 1 }), keys));
}

it("has this host's witnesses alone when no others are named", async () => {
  const lines = (await policyOf(undefined)).trimEnd().split("\n");
  expect(lines.map((line) => line.split(" ")[0])).toEqual(["log", "witness", "witness", "group", "quorum"]);
  expect(lines.slice(-2)).toEqual(["group witnesses all witness-1 witness-2", "quorum witnesses"]);
});

it("asks the witnesses that others run, and needs them when the file says so", async () => {
  const line = `witness outside ${formatVkey(outside)} https://witness.example/w`;
  const lines = (text: string) => text.trimEnd().split("\n").slice(3);
  expect(lines(await policyOf(`# of a friend\n${line}\r\n`))).toEqual([
    line,
    "group witnesses all witness-1 witness-2",
    "quorum witnesses",
  ]);
  const needed = await policyOf(`${line}\ngroup both all witnesses outside\nquorum both`);
  expect(lines(needed)).toEqual([line, "group witnesses all witness-1 witness-2", "group both all witnesses outside", "quorum both"]);
});

it.each([
  ["a log", () => `log ${formatVkey(testLog.key)}`],
  ["a witness of this host", () => `witness again ${formatVkey(first)} https://w.example`],
  ["a group of strangers", () => "group g any nobody"],
  ["what is no line of a policy", () => "witnesses: all"],
])("refuses a file with %s, and names it", async (_what, text) => {
  await expect(policyOf(text())).rejects.toThrow(`reading the witnesses of ${join(directory, "foreign-witnesses")}: `);
});
