import { execFile } from "node:child_process";
import { globSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { deriveHostArchives } from "@quorate/archive/host-archive";
import { verifyInRelease } from "@quorate/archive/in-release";
import { createTargetResolver } from "@quorate/archive/resolve-target";
import { targetSchema } from "@quorate/protocol/target";
import { expect, test } from "vitest";
import { hostSuite } from "../base-packages.ts";

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

test("the InRelease file that apt keeps of this host's release is taken with Debian's keyring, as gpgv takes it", async () => {
  const suite = await hostSuite();
  const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
  const [path = ""] = globSync(`/var/lib/apt/lists/*_dists_${suite}_InRelease`);
  const { release } = await verifyInRelease(await readFile(path), [keyring], new Date());
  expect(release.codename).toBe(suite);
  await promisify(execFile)("gpgv", ["--keyring", keyring, path]);
});
