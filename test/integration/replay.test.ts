import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isHashedRekord } from "@quorate/attestation/hashed-rekord";
import { formatEntryBundle, parseEntryBundle } from "@quorate/tlog/entry-bundle";
import { textOf, utf8 } from "@quorate/protocol/utf8";
import { afterAll, beforeAll, expect, test } from "vitest";
import { generateLog } from "../../bench/generate-log.ts";
import { quorate } from "../quorate.ts";

let directory = "";
let log = "";
let entries = 0;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "quorate-replay-"));
  log = join(directory, "log", "public");
  ({ entries } = generateLog(directory, 2_500));
}, 60_000);
afterAll(() => rm(directory, { recursive: true, force: true }));

async function replay(...more: string[]): Promise<{ code: number; report: Record<string, unknown> }> {
  const { code, stdout, stderr } = await quorate(["replay", "--data", directory, "--log", log, "--json", ...more], {});
  if (stdout === "") throw new Error(`quorate replay: ${stderr}`);
  return { code, report: JSON.parse(stdout) };
}

test("a log of many rounds, whose entries other threads check, is replayed whole; what is known of it already is not replayed again", async () => {
  const state = join(directory, "state");
  const { code, report } = await replay("--state", state);
  expect(code).toBe(0);
  expect(report).toMatchObject({ consistent: true, entries, from: 0 });
  expect(report["verdicts"]).toContainEqual(expect.objectContaining({ outcome: "mismatch" }));
  expect((await replay("--state", state)).report).toEqual({ ...report, from: entries });
});

test("of several bad entries the first is named, whichever thread was done before", async () => {
  const index = 1_100;
  for (const bundle of ["004", "006"]) {
    const path = join(log, "tile", "entries", bundle);
    const logged = parseEntryBundle(await readFile(path));
    await writeFile(path, formatEntryBundle(logged.map((bytes, at) => (at === index % 256 ? tampered(bytes, logged) : bytes))));
  }
  const { code, report } = await replay();
  expect({ code, report }).toMatchObject({ code: 2, report: { consistent: false, index } });
});

/** The entry with the signature of another; in place of a record another record. */
function tampered(bytes: Uint8Array, others: readonly Uint8Array[]): Uint8Array {
  const other = others.find((one) => isHashedRekord(one) === isHashedRekord(bytes) && textOf(one) !== textOf(bytes));
  if (other === undefined || isHashedRekord(bytes)) return other ?? bytes;
  const signature = /"sig":"[^"]*"/;
  return utf8(textOf(bytes).replace(signature, signature.exec(textOf(other))?.[0] ?? ""));
}
