import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Measured, formatMeasurement } from "@quorate/host/runtime/ima-list.fixture";
import type { RuntimePredicate } from "@quorate/protocol/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runWatch } from "../../services/cli/src/commands/watch.ts";
import { recordingContext } from "../../services/cli/src/recording-terminal.fixture.ts";
import { anyAge } from "../audited-host.ts";
import { type ProgramRoot, ReproducedPrograms, ready } from "../reproduced-programs.ts";

let programs: ReproducedPrograms;
beforeAll(async () => void (programs = await ReproducedPrograms.start()));
afterAll(() => programs?.[Symbol.asyncDispose]());

type Evidence = Pick<RuntimePredicate, "ima" | "verity"> & { lacks: string[] };

async function evidenceOf(running: ProgramRoot): Promise<Evidence> {
  const context = recordingContext();
  const options = { once: true, root: running.place, snapshot: programs.snapshot, freshness: anyAge, json: true };
  expect(await runWatch(options, context)).toBe(0);
  return (context.json[0] as { evidence: Evidence }).evidence;
}

/** As the kernel of a root would list what it has measured. */
async function writeImaList(root: string, measured: readonly Measured[]): Promise<void> {
  const place = join(root, "sys/kernel/security/ima/binary_runtime_measurements");
  await mkdir(dirname(place), { recursive: true });
  await writeFile(place, Buffer.concat(measured.map(formatMeasurement)));
}

async function perlIn(root: string): Promise<Measured> {
  const digest = createHash("sha256")
    .update(await readFile(join(root, "usr/bin/perl")))
    .digest("hex");
  return { digest, path: "/usr/bin/perl" };
}

test("a host that has no more than its processes to show says so, and is as clean as before", async () => {
  await using running = await programs.startRoot();
  await running.run(["/usr/bin/perl", "-e", ready]);
  const { ima, verity, lacks } = await evidenceOf(running);
  expect(ima).toBeUndefined();
  expect(lacks).toEqual(["IMA: there is none here"]);
  expect(verity?.files).toBeGreaterThan(2);
  expect(verity?.protected).toBe(0);
});

test("what the kernel has measured is held against what was rebuilt; a list that is not whole is no evidence", async () => {
  await using running = await programs.startRoot();
  await writeImaList(running.root, [
    { digest: "99".repeat(32), path: "boot_aggregate" },
    await perlIn(running.root),
    { digest: "99".repeat(32), path: "/opt/evil" },
    { digest: "00".repeat(32), path: "/opt/written", isViolation: true },
  ]);
  expect((await evidenceOf(running)).ima).toMatchObject({ entries: 4, verified: 1, unverified: 1, violations: 1 });
  await writeFile(join(running.root, "sys/kernel/security/ima/binary_runtime_measurements"), "half an entry");
  expect(await evidenceOf(running)).toMatchObject({ lacks: [expect.stringMatching(/^IMA: parsing list of measurements/)] });
});
