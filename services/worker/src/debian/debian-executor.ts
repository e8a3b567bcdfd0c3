import { rm } from "node:fs/promises";
import { release } from "node:os";
import { join, resolve } from "node:path";
import type { Archive } from "@quorate/archive/archive-config";
import { ArchiveError } from "@quorate/archive/archive-error";
import type { EnvironmentLock } from "@quorate/protocol/environment-lock";
import type { BuildOutcome, BuildProgress, BuildReporter, BuildRequest, Builder, Executor } from "../executor.ts";
import { baseIdOf, obtainBase } from "./base.ts";
import { BuildFailure, failureOf } from "./build-failure.ts";
import { BuildLog } from "./build-log.ts";
import { createControlGroup, removeLeftoverGroups } from "./control-group.ts";
import { checkHost } from "./host-check.ts";
import { loadEnvironmentLock, obtainLayer } from "./layer.ts";
import { openPackageCache } from "./package-cache.ts";
import { type PinnedEnvironment, createEnvironmentLoader, findSource } from "./pinned-environment.ts";
import { buildInSandbox } from "./sandboxed-build.ts";
import { type SourceFiles, fetchSourceFiles } from "./source-files.ts";
import { type Tree, openTreeStore } from "./tree-store.ts";

export type DebianExecutorOptions = {
  /** Of this worker alone: bases, layers, running sandboxes. */
  dataDirectory: string;
  /** Of all workers on this machine: archive files by digest. */
  packageCacheDirectory: string;
  archives: readonly Archive[];
  now?: () => Date;
};

const executorVersion = "debian/1";
const environmentTimeoutSeconds = 1800;
const keptBases = 4;
const keptLayers = 40;

/** Builds Debian packages in sandboxes. @throws Error when this host cannot */
export async function openDebianExecutor(options: DebianExecutorOptions): Promise<Executor> {
  await checkHost();
  const dataDirectory = resolve(options.dataDirectory);
  // Left by workers that were killed: no sandbox of theirs is alive any more.
  await rm(join(dataDirectory, "run"), { recursive: true, force: true });
  await removeLeftoverGroups();
  const bases = await openTreeStore(dataDirectory, { name: "bases", keep: keptBases });
  const layers = await openTreeStore(dataDirectory, { name: "layers", keep: keptLayers });
  const cache = await openPackageCache(resolve(options.packageCacheDirectory));
  const loadEnvironment = createEnvironmentLoader({ archives: options.archives, cache, now: options.now ?? (() => new Date()) });
  const context: Context = { dataDirectory, bases, layers, cache, loadEnvironment };
  return { build: (request, report, signal) => build(context, { request, report, signal }) };
}

type Context = {
  dataDirectory: string;
  bases: Awaited<ReturnType<typeof openTreeStore>>;
  layers: Awaited<ReturnType<typeof openTreeStore>>;
  cache: Awaited<ReturnType<typeof openPackageCache>>;
  loadEnvironment: ReturnType<typeof createEnvironmentLoader>;
};

type Call = { request: BuildRequest; report: BuildReporter; signal: AbortSignal };

async function build(context: Context, { request, report: reportAll, signal }: Call): Promise<BuildOutcome> {
  signal.throwIfAborted();
  let phase: BuildProgress["phase"] = "fetching";
  const report: BuildReporter = (progress) => {
    phase = progress.phase;
    reportAll(progress);
  };
  const call = { request, report, signal };
  using log = new BuildLog(join(request.workDirectory, "build.log"), (logLines) => reportAll({ phase, logLines }));
  const builder: Builder = { builderVersion: { executor: executorVersion, kernel: release() }, sandboxProfile: "namespaces/1" };
  let lock: EnvironmentLock | undefined;
  let step = "environment";
  try {
    report({ phase: "fetching", activity: `verifying the pinned state of ${request.target.suite}` });
    const environment = await loadVerified(context, call);
    const prepared = await prepare(context, { ...call, environment, log });
    using holds = new DisposableStack();
    holds.use(prepared.base);
    holds.use(prepared.layer);
    lock = prepared.lock;
    const dpkg = lock.packages.find((one) => one.package === "dpkg")?.version;
    if (dpkg !== undefined) builder.builderVersion.dpkg = dpkg;
    step = "build";
    await using group = await createControlGroup({
      memoryBytes: request.limits.memoryMib * 1024 * 1024,
      processes: request.limits.processes,
    });
    builder.sandboxProfile = `namespaces/1 ${group.kind}`;
    const built = await buildInSandbox({ ...prepared, ...context, ...call, environment, log, group });
    return { ...built, ...builder, kind: "built", lock, buildLog: await log.save("build.log") };
  } catch (error) {
    signal.throwIfAborted();
    const failure = failureOf(error, step);
    log.note(`${failure.reason} (${failure.step}): ${failure.message}`);
    const buildLog = await log.save("build.log").catch(() => undefined);
    return {
      kind: "failed",
      failure,
      ...builder,
      ...(buildLog === undefined ? {} : { buildLog }),
      ...(lock === undefined ? {} : { lock }),
    };
  }
}

async function loadVerified({ loadEnvironment }: Context, { request, signal }: Call): Promise<PinnedEnvironment> {
  try {
    return await loadEnvironment(request.target, (sha256) => request.fetchBlob(sha256, signal));
  } catch (cause) {
    signal.throwIfAborted();
    if (!(cause instanceof ArchiveError)) throw cause;
    throw new BuildFailure("environment-unavailable", { step: "environment", message: cause.message }, { cause });
  }
}

type Prepared = { base: Tree; layer: Tree; lock: EnvironmentLock; inputs: string; files: SourceFiles };
type Preparation = Call & { environment: PinnedEnvironment; log: BuildLog };

async function prepare(context: Context, call: Preparation): Promise<Prepared> {
  const timeout = AbortSignal.timeout(environmentTimeoutSeconds * 1000);
  try {
    return await prepareAll(context, { ...call, signal: AbortSignal.any([call.signal, timeout]) });
  } catch (cause) {
    call.signal.throwIfAborted();
    if (!timeout.aborted) throw cause;
    const message = `preparing the environment took longer than ${environmentTimeoutSeconds} s`;
    throw new BuildFailure("timeout", { step: "environment", message }, { cause });
  }
}

async function prepareAll(context: Context, { request, report, signal, environment, log }: Preparation): Promise<Prepared> {
  const { target } = request;
  const source = await findSource(environment, target);
  const inputs = join(request.workDirectory, "inputs");
  report({ phase: "fetching", activity: `fetching the source files of ${target.source} ${target.version}` });
  const archiveUrl = environment.archive.url;
  const files = await fetchSourceFiles({ stanza: source, archiveUrl, cache: context.cache, directory: inputs, signal });
  if (files.descriptionMadeAnew)
    log.note(`the archive has no ${files.description}; one made from the signed Sources index stands in for it`);
  const architecture = machineOf(environment);
  const onFile = (name: string) => report({ phase: "environment", activity: `unpacking ${name}` });
  const common = { ...context, environment, architecture, onFile, onOutput: (chunk: Buffer) => log.write(chunk), signal };
  report({ phase: "environment", activity: `preparing the base system of ${target.suite} ${architecture}` });
  using holds = new DisposableStack();
  const base = holds.use(await obtainBase(context.bases, common));
  report({ phase: "environment", activity: `preparing the build dependencies of ${target.source}` });
  const mode = target.architecture === "all" ? "all" : "any";
  const baseId = baseIdOf(target.environment, architecture);
  const layer = holds.use(await obtainLayer(context.layers, { ...common, base, baseId, source, mode }));
  const lock = await loadEnvironmentLock(layer, { dataDirectory: context.dataDirectory, environment });
  // From here the caller holds both trees.
  holds.move();
  return { base, layer, lock, inputs, files };
}

/** The machine architecture that the pinned indices are of; a target of architecture `all` is built on it as well. */
function machineOf({ pin }: PinnedEnvironment): string {
  for (const { indices } of pin.suites) {
    for (const { path } of indices) {
      const architecture = /\/binary-([^/]+)\/Packages$/.exec(path)?.[1];
      if (architecture !== undefined && architecture !== "all") return architecture;
    }
  }
  throw new BuildFailure("environment-unavailable", { step: "environment", message: "the environment pin names no Packages index" });
}
