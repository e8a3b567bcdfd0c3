import { mkdir, mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { archiveSchema } from "@quorate/archive/archive-config";
import { createTargetResolver } from "@quorate/archive/resolve-target";
import { traceSummaryOf } from "@quorate/attestation/build-trace";
import { parseManifest } from "@quorate/attestation/manifest";
import type { Sha256 } from "@quorate/protocol/digest";
import { environmentPinDigestOf, type Target } from "@quorate/protocol/target";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { basePackages } from "../../../../test/base-packages.ts";
import { samples } from "../../../../test/samples.ts";
import { createSmallArchive, type SmallArchive } from "../../../../test/small-archive.ts";
import type { BuildLimits, BuildOutcome, BuildProgress, Built, Executor } from "../executor.ts";
import { openDebianExecutor } from "./debian-executor.ts";

const suite = "small";
/** Sources of this test alone: what a build may try in its sandbox. */
const own = {
  unmet: { source: "sample-unmet", version: "1", architecture: "all", buildDepends: "no-such-package" },
  greedy: {
    source: "sample-greedy",
    version: "1",
    architecture: "all",
    tree: { want: "dd if=/dev/zero of=big bs=1M count=200\n" },
    publishedTree: { want: "true\n" },
    build: ["sh want"],
  },
  endless: {
    source: "sample-endless",
    version: "1",
    architecture: "all",
    tree: { wait: "sleep 4324\n" },
    publishedTree: { wait: "true\n" },
    build: ["sh wait"],
  },
  nosy: {
    source: "sample-nosy",
    version: "1",
    architecture: "all",
    tree: { look: 'echo "network $(cat /proc/net/route | wc -l)"; ls -d /root/.cache /work /home/* 2>&1; id; env\n' },
    publishedTree: { look: "true\n" },
    build: ["sh look"],
  },
  linked: {
    source: "sample-linked",
    version: "1",
    architecture: "all",
    // As soon as the build's last step begins: nothing that builds can run later.
    tree: {
      move: `(cd /build/reproducible-path && until set -- *.changes && [ -e "$1" ]; do :; done && mv sample-linked-1 moved && ln -s /etc sample-linked-1) &\n`,
    },
    publishedTree: { move: "true\n" },
    build: ["sh move"],
  },
} as const;

let directory: string;
let archive: SmallArchive;
let executor: Executor;
const blobs = new Map<Sha256, string>();
const targets = new Map<string, Target>();
const configured = () => archiveSchema.parse({ distribution: "debian", url: archive.url, keyrings: [archive.keyring] });
const open = (name: string) =>
  openDebianExecutor({
    dataDirectory: join(directory, name),
    packageCacheDirectory: join(directory, "packages"),
    archives: [configured()],
  });

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "quorate-executor-"));
  const { directory: packages } = await basePackages();
  archive = await createSmallArchive({ directory, suite, packages, sources: [...Object.values(samples), ...Object.values(own)] });
  const resolver = await createTargetResolver({ archives: [configured()], cacheDirectory: join(directory, "coordinator") });
  for (const { source } of [...Object.values(samples), ...Object.values(own)]) {
    const resolution = await resolver.resolveTargets({ distribution: "debian", suite, source });
    if (resolution.kind === "refused") throw new Error(JSON.stringify(resolution.refusal));
    for (const file of resolution.files) blobs.set(file.sha256, file.file);
    for (const target of resolution.targets) targets.set(source, target);
  }
  executor = await open("one");
});

afterAll(async () => {
  await archive?.[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

function targetOf(source: string): Target {
  const target = targets.get(source);
  if (target === undefined) throw new Error(`no target of ${source}`);
  return target;
}

const limits: BuildLimits = { timeoutSeconds: 120, memoryMib: 1024, diskMib: 512, processes: 500 };
type Variation = {
  target?: Target;
  limits?: Partial<BuildLimits>;
  by?: Executor;
  signal?: AbortSignal;
  onProgress?(progress: BuildProgress): void;
};

async function build(source: string, variation: Variation = {}): Promise<BuildOutcome> {
  const workDirectory = await mkdtemp(join(directory, "work-"));
  const request = {
    target: variation.target ?? targetOf(source),
    workDirectory,
    parallel: 2,
    limits: { ...limits, ...variation.limits },
    fetchBlob: async (sha256: Sha256) => await readFile(blobs.get(sha256) ?? ""),
  };
  const signal = variation.signal ?? new AbortController().signal;
  return await (variation.by ?? executor).build(request, variation.onProgress ?? (() => {}), signal);
}

async function builtOf(source: string, variation: Variation = {}): Promise<Built> {
  const outcome = await build(source, variation);
  if (outcome.kind === "failed") throw new Error(`${outcome.failure.step}: ${outcome.failure.message}\n${await logOf(outcome)}`);
  return outcome;
}

const logOf = async ({ buildLog }: BuildOutcome) => (buildLog === undefined ? "" : await readFile(buildLog.path, "utf8"));
const digestsOf = ({ artifacts }: Built) => artifacts.map(({ name, sha256 }) => ({ file: name, sha256 }));
const referencesOf = ({ artifacts }: Target) => artifacts.map(({ file, sha256 }) => ({ file, sha256 }));

describe("what comes out", () => {
  test("a steady source comes out as published, with trace, manifest, lock, log and buildinfo", async () => {
    const progress: BuildProgress[] = [];
    const target = targetOf(samples.steady.source);
    const built = await builtOf(samples.steady.source, { onProgress: (one) => progress.push(one) });
    expect(digestsOf(built)).toEqual(referencesOf(target));
    expect(built.sources).toEqual(target.files.map(({ name, sha256 }) => ({ name, sha256 })));
    expect(built.trace.map(({ path }) => path)).toContain("work/7.o");
    expect(built.trace.map(({ path }) => path)).not.toContain("debian/rules");
    const paths = parseManifest(built.manifests[0]?.text ?? "").map(({ part, path }) => `${part} ${path}`);
    expect(paths).toEqual(expect.arrayContaining(["control control", "data usr/share/sample/text"]));
    expect(built.lock.environment).toBe(environmentPinDigestOf(target.environment));
    expect(built.lock.packages.map((one) => one.package)).toEqual(expect.arrayContaining(["dpkg", "gcc", "fakeroot"]));
    expect(built.buildinfo?.name).toBe("sample-steady_1.2_all.buildinfo");
    expect(await logOf(built)).toContain("dpkg-buildpackage: info: source package sample-steady");
    expect(progress.flatMap(({ logLines }) => logLines ?? []).join("\n")).toContain("dpkg-buildpackage: info: source package");
    expect(new Set(progress.map(({ phase }) => phase))).toEqual(new Set(["fetching", "environment", "building"]));
  });

  test("two operators on one machine make the same files on the way", async () => {
    const [a, b] = await Promise.all([builtOf(samples.steady.source), builtOf(samples.steady.source, { by: await open("two") })]);
    expect(traceSummaryOf(a.trace)).toEqual(traceSummaryOf(b.trace));
    expect(a.lock).toEqual(b.lock);
    expect(a.manifests).toEqual(b.manifests);
  });

  test("binaries that were rebuilt without a source change come out with their own changelog entry", async () => {
    const target = targetOf(samples.renumbered.source);
    expect(target.binNmu).toBe("+b1");
    expect(digestsOf(await builtOf(samples.renumbered.source))).toEqual(expect.arrayContaining(referencesOf(target)));
  });

  test("a source whose published binary was made of something else differs", async () => {
    const built = await builtOf(samples.drifted.source);
    expect(digestsOf(built)).not.toEqual(referencesOf(targetOf(samples.drifted.source)));
  });

  test("a .dsc that the mirror lacks is made from the signed index, and is not said to be verified", async () => {
    const { source } = samples.steady;
    await rm(join(archive.root, `pool/main/s/${source}/${source}_1.2.dsc`));
    await using fresh = await freshPackages();
    const built = await builtOf(source, { by: await fresh.open() });
    expect(digestsOf(built)).toEqual(referencesOf(targetOf(source)));
    expect(built.sources.map(({ name }) => name)).toEqual(["sample-steady_1.2.tar.xz"]);
    expect(await logOf(built)).toContain("made from the signed Sources index");
  });
});

/** An executor with the bases that are there already and a package cache of its own. */
async function freshPackages() {
  const cache = await mkdtemp(join(directory, "packages-"));
  return {
    open: () => openDebianExecutor({ dataDirectory: join(directory, "one"), packageCacheDirectory: cache, archives: [configured()] }),
    [Symbol.asyncDispose]: () => rm(cache, { recursive: true }),
  };
}

describe("outcomes that are no artifact", () => {
  test("a source that does not build fails with the step", async () => {
    expect(await build(samples.broken.source)).toMatchObject({ kind: "failed", failure: { reason: "build-failed", step: "build" } });
  });

  test("build dependencies that the pinned archive lacks are uninstallable", async () => {
    const outcome = await build(own.unmet.source);
    expect(outcome).toMatchObject({ failure: { reason: "dependencies-uninstallable", step: "build-dependencies" } });
    expect(await logOf(outcome)).toContain("no-such-package");
  });

  test("a build that takes too long is killed with everything it started", async () => {
    const outcome = await build(own.endless.source, { limits: { timeoutSeconds: 5 } });
    expect(outcome).toMatchObject({ failure: { reason: "timeout" } });
    expect(await readdir(join(directory, "one/run"))).toEqual([]);
  });

  test("a build that fills its disk, or its memory, lacks resources", async () => {
    expect(await build(own.greedy.source, { limits: { diskMib: 64 } })).toMatchObject({ failure: { reason: "out-of-resources" } });
    expect(await build(own.greedy.source, { limits: { memoryMib: 64 } })).toMatchObject({ failure: { reason: "out-of-resources" } });
  });

  test("an abort ends the build at once and leaves nothing", async () => {
    const controller = new AbortController();
    const onProgress = ({ logLines }: BuildProgress) => {
      if (logLines?.some((line) => line.includes("sh wait"))) controller.abort(new Error("job cancelled"));
    };
    await expect(build(own.endless.source, { signal: controller.signal, onProgress })).rejects.toThrow("job cancelled");
    expect(await readdir(join(directory, "one/run"))).toEqual([]);
  });

  test("a build that puts a link to the host in the place of its tree gives nothing away", async () => {
    const outcome = await build(own.linked.source);
    expect(outcome).toMatchObject({ kind: "failed", failure: { reason: "build-failed" } });
    expect(outcome).not.toHaveProperty("trace");
  });

  test("source files that no mirror has are unavailable", async () => {
    await rm(join(archive.root, "pool/main/s/sample-drifted/sample-drifted_2.0.tar.xz"));
    await using fresh = await freshPackages();
    const outcome = await build(samples.drifted.source, { by: await fresh.open() });
    expect(outcome).toMatchObject({ failure: { reason: "source-unavailable", step: "source" } });
  });
});

describe("what is not believed", () => {
  test("a target with a digest that its pinned index does not have", async () => {
    const target = targetOf(samples.steady.source);
    const forged = { ...target, artifacts: target.artifacts.map((one) => ({ ...one, sha256: target.files[0]?.sha256 ?? one.sha256 })) };
    expect(await build("", { target: forged })).toMatchObject({ failure: { reason: "environment-unavailable" } });
  });

  test("an InRelease file that no key of this worker signed", async () => {
    await mkdir(join(directory, "other"));
    await using other = await createSmallArchive({ directory: join(directory, "other"), suite, sources: [] });
    const archives = [archiveSchema.parse({ distribution: "debian", url: archive.url, keyrings: [other.keyring] })];
    const by = await openDebianExecutor({
      dataDirectory: join(directory, "one"),
      packageCacheDirectory: join(directory, "packages"),
      archives,
    });
    const outcome = await build(samples.steady.source, { by });
    expect(outcome).toMatchObject({ failure: { reason: "environment-unavailable" } });
  });
});

test("a build sees neither the network nor the host, and the distribution's usual environment", async () => {
  const log = await logOf(await build(own.nosy.source));
  expect(log).toContain("network 1");
  expect(log).toContain("cannot access '/work'");
  expect(log).toContain("uid=2952(builder)");
  for (const line of ["LC_ALL=C.UTF-8", "TZ=UTC", "HOME=/sbuild-nonexistent", "DEB_BUILD_OPTIONS=parallel=2"]) expect(log).toContain(line);
  expect(log).toContain("PWD=/build/reproducible-path/sample-nosy-1");
});
