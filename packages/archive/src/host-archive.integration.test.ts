import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { targetSchema } from "@quorate/protocol/target";
import { expect, test } from "vitest";
import { ArchiveError } from "./archive-error.ts";
import { deriveHostArchives } from "./host-archive.ts";
import { createTargetResolver } from "./resolve-target.ts";

test("a package of this host's own archive becomes a target, the second time within milliseconds", async (context) => {
  const archives = await deriveHostArchives().catch(() => []);
  const [archive] = archives;
  const [suite] = Object.keys(archive?.environments ?? {});
  if (archive === undefined || suite === undefined) return context.skip("apt on this host has no archive");
  const cacheDirectory = await mkdtemp(join(tmpdir(), "host-archive-"));
  context.onTestFinished(async () => await rm(cacheDirectory, { recursive: true, force: true }));
  const resolver = await createTargetResolver({ archives, cacheDirectory });
  const request = { distribution: archive.distribution, suite, source: "base-files" };
  const first = await resolver.resolveTargets(request).catch((error: unknown) => {
    if (error instanceof ArchiveError && error.code === "unreachable") return context.skip(error.message);
    throw error;
  });
  if (first.kind === "refused") throw new Error(`refused: ${JSON.stringify(first.refusal)}`);
  expect(first.targets.map(({ source, artifacts }) => [source, artifacts.map((artifact) => artifact.package)])).toEqual([
    ["base-files", ["base-files"]],
  ]);
  expect(targetSchema.parse(first.targets[0])).toEqual(first.targets[0]);
  const started = performance.now();
  await resolver.resolveTargets({ ...request, source: "hello" });
  expect(performance.now() - started).toBeLessThan(250);
});
