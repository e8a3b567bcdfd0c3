import { mkdir, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { Sha256 } from "@quorate/protocol/digest";
import type { BuildReporter, BuildRequest, Built } from "../executor.ts";
import { withBinaryOnlyEntry } from "./binary-only-entry.ts";
import { buildParent } from "./base.ts";
import { BuildFailure } from "./build-failure.ts";
import type { BuildLog } from "./build-log.ts";
import { collectProducts } from "./build-products.ts";
import { buildDirectoryOf, inputsInside, runBuild } from "./build-run.ts";
import type { ControlGroup } from "./control-group.ts";
import { readManifest } from "./deb-manifest.ts";
import type { PackageCache } from "./package-cache.ts";
import type { PinnedEnvironment } from "./pinned-environment.ts";
import { type Sandbox, openSandbox } from "./sandbox.ts";
import { resolveInside } from "./sandbox-tree.ts";
import type { SourceFiles } from "./source-files.ts";
import { traceTree } from "./trace.ts";
import type { Tree } from "./tree-store.ts";

export type SandboxedBuild = {
  dataDirectory: string;
  cache: PackageCache;
  environment: PinnedEnvironment;
  request: BuildRequest;
  base: Tree;
  layer: Tree;
  files: SourceFiles;
  inputs: string;
  log: BuildLog;
  group: ControlGroup;
  report: BuildReporter;
  signal: AbortSignal;
};

export type SandboxedProducts = Pick<Built, "artifacts" | "sources" | "trace" | "manifests" | "buildinfo">;

/** Builds in a fresh sandbox on top of a layer and takes from it all that a result says. @throws BuildFailure */
export async function buildInSandbox(build: SandboxedBuild): Promise<SandboxedProducts> {
  const { request, log, files, report } = build;
  const timeout = AbortSignal.timeout(request.limits.timeoutSeconds * 1000);
  await using sandbox = await openSandbox({
    directory: build.dataDirectory,
    root: {
      kind: "overlay",
      lowers: [`${build.layer.path}/upper`, build.base.path],
      upper: { kind: "memory", sizeBytes: request.limits.diskMib * 1024 * 1024 },
      binds: [{ from: build.inputs, at: inputsInside }],
    },
    controlGroup: build.group,
    processes: request.limits.processes,
    onOutput: (chunk) => log.write(chunk),
    signal: AbortSignal.any([build.signal, timeout]),
  });
  report({ phase: "building", activity: `building ${request.target.source} ${request.target.version}` });
  let sourceDigests: Set<Sha256>;
  try {
    sourceDigests = await runBuild({ ...build, ...request, sandbox, ...binaryOnly(build) });
  } catch (error) {
    build.signal.throwIfAborted();
    throw (await limitFailure(error, { build, sandbox, timeout })) ?? error;
  }
  report({ phase: "building", activity: "hashing what came out" });
  const sources = files.verified.map(({ name, sha256 }) => ({ name, sha256 }));
  return { ...(await collect(build, { sandbox, sourceDigests })), sources };
}

function binaryOnly({ request, environment, cache, signal }: SandboxedBuild) {
  const { target } = request;
  if (target.binNmu === undefined) return {};
  const archiveUrl = environment.archive.url;
  return { completeChangelog: (changelog: string) => withBinaryOnlyEntry({ target, archiveUrl, cache, changelog, signal }) };
}

async function collect(build: SandboxedBuild, { sandbox, sourceDigests }: { sandbox: Sandbox; sourceDigests: Set<Sha256> }) {
  const { request, signal } = build;
  const output = join(request.workDirectory, "output");
  await mkdir(output, { recursive: true });
  const products = await collectProducts(await resolveInside(sandbox.hostRoot, buildParent), output);
  const expected = new Set(request.target.artifacts.map(({ file }) => file));
  if (!products.artifacts.some(({ name }) => expected.has(name))) {
    const made = products.artifacts.map(({ name }) => name).join(", ") || "no binary package";
    throw new BuildFailure("nothing-to-compare", {
      step: "collect",
      message: `the build made ${made}: nothing that the archive published`,
    });
  }
  const manifests: { file: string; text: string }[] = [];
  const known = [sourceDigests];
  for (const { name, path, sha256 } of products.artifacts) {
    const { text, digests } = await readManifest(path, signal);
    manifests.push({ file: name, text });
    known.push(digests, new Set([sha256]));
  }
  const trace = await traceTree(await resolveInside(sandbox.hostRoot, buildDirectoryOf(request.target)), known);
  return { ...products, manifests, trace };
}

type Circumstances = { build: SandboxedBuild; sandbox: Sandbox; timeout: AbortSignal };

/** A build that runs into a limit fails in ways of its own choosing: what the kernel counted tells the cause. */
async function limitFailure(error: unknown, { build, sandbox, timeout }: Circumstances): Promise<BuildFailure | undefined> {
  const step = error instanceof BuildFailure ? error.failure.step : "build";
  const { limits } = build.request;
  const failure = (reason: "timeout" | "out-of-resources", message: string) =>
    new BuildFailure(reason, { step, message }, { cause: error });
  if (timeout.aborted) return failure("timeout", `the build took longer than ${limits.timeoutSeconds} s`);
  const exceeded = await build.group.exceeded();
  if (exceeded.includes("memory")) return failure("out-of-resources", `the build needs more than ${limits.memoryMib} MiB of memory`);
  if (exceeded.includes("processes")) return failure("out-of-resources", `the build needs more than ${limits.processes} processes`);
  if ((await isFull(sandbox)) || build.log.endsWithMention("No space left on device")) {
    return failure("out-of-resources", `the build needs more than ${limits.diskMib} MiB of disk`);
  }
  return undefined;
}

async function isFull(sandbox: Sandbox): Promise<boolean> {
  try {
    const { bavail, blocks, ffree } = await statfs(`${sandbox.hostRoot}/`);
    return bavail * 100 < blocks || ffree === 0;
  } catch {
    // The sandbox itself is gone.
    return false;
  }
}
