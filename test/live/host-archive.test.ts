import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deriveHostArchives } from "@quorate/archive/host-archive";
import { createTargetResolver } from "@quorate/archive/resolve-target";
import { targetSchema } from "@quorate/protocol/target";
import { expect, test } from "vitest";

test("a package of this host's own archive becomes a target", async ({ onTestFinished }) => {
  const archives = await deriveHostArchives();
  const [archive] = archives;
  const [suite] = Object.keys(archive?.environments ?? {});
  if (archive === undefined || suite === undefined) throw new Error("apt on this host names no archive");
  const cacheDirectory = await mkdtemp(join(tmpdir(), "host-archive-"));
  onTestFinished(async () => await rm(cacheDirectory, { recursive: true, force: true }));
  const resolver = await createTargetResolver({ archives, cacheDirectory });
  const resolved = await resolver.resolveTargets({ distribution: archive.distribution, suite, source: "base-files" });
  if (resolved.kind === "refused") throw new Error(`refused: ${JSON.stringify(resolved.refusal)}`);
  expect(resolved.targets.map(({ source, artifacts }) => [source, artifacts.map((artifact) => artifact.package)])).toEqual([
    ["base-files", ["base-files"]],
  ]);
  expect(targetSchema.parse(resolved.targets[0])).toEqual(resolved.targets[0]);
});
