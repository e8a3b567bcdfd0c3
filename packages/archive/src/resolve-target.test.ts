import { createHash } from "node:crypto";
import { cpSync, rmSync } from "node:fs";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SubmissionRequest } from "@quorate/protocol/submission";
import { targetDigestOf } from "@quorate/protocol/target";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type DirectoryServer, serveDirectory } from "../../../test/serve-directory.ts";
import { createSmallArchive, type SmallArchive, type SmallSource } from "../../../test/small-archive.ts";
import { type Archive, archiveSchema } from "./archive-config.ts";
import { createTargetResolver, type Resolution } from "./resolve-target.ts";

const alpha: SmallSource = { source: "alpha", version: "1.0", architecture: "all" };
let base: string;
let small: SmallArchive;
let directory: string;
let server: DirectoryServer;
let archive: Archive;
let time: Date;

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "resolve-"));
  const sources = [alpha, { source: "beta", version: "1:2.0", package: "libbeta", binNmu: 1 }];
  small = await createSmallArchive({
    directory: base,
    suite: "small",
    sources,
    architecture: "amd64",
    date: new Date("2026-01-02T00:00:00Z"),
  });
});

afterAll(async () => {
  await small[Symbol.asyncDispose]();
  await rm(base, { recursive: true, force: true });
});

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "resolve-"));
  await cp(small.root, join(directory, "served"), { recursive: true });
  server = await serveDirectory(join(directory, "served"));
  archive = archiveSchema.parse({ distribution: "debian", url: server.url, keyrings: [small.keyring], environments: { small: ["small"] } });
  time = new Date();
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const request: SubmissionRequest = { distribution: "debian", suite: "small", source: "alpha" };
const openResolver = async (change: Partial<Archive> = {}) =>
  await createTargetResolver({
    archives: [{ ...archive, ...change }],
    cacheDirectory: join(directory, "cache"),
    recheckSeconds: 60,
    now: () => time,
    limits: { retryMilliseconds: 1 },
  });
const targetsOf = (resolution: Resolution) => {
  if (resolution.kind === "refused") throw new Error(JSON.stringify(resolution.refusal));
  return resolution.targets;
};
const served = (path: string) => join(directory, "served", path);

describe("resolving targets", () => {
  test("takes source and reference from the signed indices", async () => {
    const [target] = targetsOf(await (await openResolver()).resolveTargets(request));
    const digestOf = async (path: string) =>
      createHash("sha256")
        .update(await readFile(served(path)))
        .digest("hex");
    expect(target).toMatchObject({
      suite: "small",
      component: "main",
      source: "alpha",
      version: "1.0",
      architecture: "all",
      directory: "pool/main/a/alpha",
    });
    expect(target?.files).toMatchObject([
      { name: "alpha_1.0.dsc", sha256: await digestOf("pool/main/a/alpha/alpha_1.0.dsc") },
      { name: "alpha_1.0.tar.xz", sha256: await digestOf("pool/main/a/alpha/alpha_1.0.tar.xz") },
    ]);
    const path = "pool/main/a/alpha/alpha_1.0_all.deb";
    expect(target?.artifacts).toMatchObject([{ file: "alpha_1.0_all.deb", path, package: "alpha", sha256: await digestOf(path) }]);
    expect(target?.binNmu).toBeUndefined();
  });

  test("tells a rebuild without source change", async () => {
    const [target] = targetsOf(await (await openResolver()).resolveTargets({ ...request, source: "beta" }));
    expect(target).toMatchObject({ version: "1:2.0", architecture: "amd64", binNmu: "+b1" });
    expect(target?.artifacts).toMatchObject([{ file: "libbeta_2.0+b1_amd64.deb", version: "1:2.0+b1" }]);
  });

  test("pins InRelease and the texts of the indices, and hands all of them back", async () => {
    const resolution = await (await openResolver()).resolveTargets(request);
    const [pin] = targetsOf(resolution)[0]?.environment.suites ?? [];
    const texts = ["dists/small/InRelease", "dists/small/main/binary-amd64/Packages", "dists/small/main/source/Sources"];
    const files = resolution.kind === "resolved" ? resolution.files : [];
    expect(await Promise.all(files.map(async ({ file }) => await readFile(file, "utf8")))).toEqual(
      await Promise.all(texts.map(async (path) => await readFile(served(path), "utf8"))),
    );
    expect([pin?.inReleaseSha256, ...(pin?.indices ?? []).map((index) => index.sha256)]).toEqual(files.map(({ sha256 }) => sha256));
    expect(pin?.indices.map((index) => index.path)).toEqual(["main/binary-amd64/Packages", "main/source/Sources"]);
  });

  test("gives the same target to whoever asks, from the network and from the cache", async () => {
    const digests = new Set<string>();
    for (const resolver of [await openResolver(), await openResolver()]) {
      for (const target of targetsOf(await resolver.resolveTargets(request))) digests.add(targetDigestOf(target));
    }
    expect(digests.size).toBe(1);
  });

  test("asks the archive no more than once in the given time, and then only whether InRelease changed", async () => {
    const resolver = await openResolver();
    await Promise.all([resolver.resolveTargets(request), resolver.resolveTargets({ ...request, source: "beta" })]);
    const first = server.requests.length;
    expect(server.requests.filter((line) => line.includes("InRelease"))).toHaveLength(1);
    expect(first).toBe(3);
    await resolver.resolveTargets(request);
    expect(server.requests).toHaveLength(first);
    time = new Date(time.getTime() + 61_000);
    await resolver.resolveTargets(request);
    expect(server.requests.slice(first)).toEqual(["/dists/small/InRelease 304"]);
    await (await openResolver()).resolveTargets(request);
    expect(server.requests.slice(first + 1)).toEqual(["/dists/small/InRelease 304"]);
  });

  test.each<[Partial<SubmissionRequest>, object]>([
    [{ distribution: "ubuntu" }, { kind: "unknown-distribution", distribution: "ubuntu", known: ["debian"] }],
    [{ suite: "large" }, { kind: "unknown-suite", suite: "large", known: ["small"] }],
    [{ architecture: "riscv64" }, { kind: "unknown-architecture", architecture: "riscv64", known: ["amd64", "all"] }],
    [{ architecture: "amd64" }, { kind: "unknown-architecture", architecture: "amd64", known: ["all"] }],
    [{ version: "9" }, { kind: "unknown-version", source: "alpha", version: "9", known: ["1.0"] }],
    [{ source: "alpa" }, { kind: "unknown-package", source: "alpa", suite: "small", known: ["alpha"] }],
    [{ source: "libbeta" }, { kind: "unknown-package", source: "libbeta", suite: "small", known: ["beta"] }],
  ])("refuses %j with what there is", async (change, refusal) => {
    expect(await (await openResolver()).resolveTargets({ ...request, ...change })).toEqual({ kind: "refused", refusal });
  });
});

describe("an archive that is not as it should be", () => {
  const resolve = async (change: Partial<Archive> = {}) => await (await openResolver(change)).resolveTargets(request);

  test("an altered InRelease is refused", async () => {
    const text = await readFile(served("dists/small/InRelease"), "utf8");
    await writeFile(served("dists/small/InRelease"), text.replace("Origin: Small", "Origin: Smell"));
    await expect(resolve()).rejects.toMatchObject({ code: "not-signed" });
  });

  test("another suite's InRelease is refused", async () => {
    await cp(served("dists/small"), served("dists/large"), { recursive: true });
    await expect((await openResolver()).resolveTargets({ ...request, suite: "large" })).rejects.toMatchObject({ code: "wrong-suite" });
  });

  test("an index with other bytes is refused, after a second look at InRelease", async () => {
    server.answer = (path) => (path.includes("/binary-amd64/") ? { bytes: Buffer.from("x") } : undefined);
    await expect(resolve()).rejects.toMatchObject({ code: "digest-differs" });
    expect(server.requests.filter((line) => line.includes("InRelease"))).toHaveLength(2);
  });

  test("an index that is damaged in the cache is fetched anew", async () => {
    const resolution = await resolve();
    const [, packages] = resolution.kind === "resolved" ? resolution.files : [];
    const text = await readFile(packages?.file ?? "");
    await writeFile(packages?.file ?? "", Buffer.alloc(text.length));
    await resolve();
    expect(await readFile(packages?.file ?? "")).toEqual(text);
  });

  test("indices are found without by-hash names, and in the other compressions", async () => {
    server.answer = (path) => (path.includes("by-hash") || path.endsWith(".xz") ? { status: 404 } : undefined);
    await resolve();
    expect(server.requests.filter((line) => line.endsWith(" 200"))).toEqual([
      "/dists/small/InRelease 200",
      "/dists/small/main/source/Sources.gz 200",
      "/dists/small/main/binary-amd64/Packages.gz 200",
    ]);
  });

  test("an archive in trouble is an error, not an unknown suite", async () => {
    server.answer = () => ({ status: 500 });
    await expect(resolve()).rejects.toMatchObject({ code: "unreachable" });
  });

  test("a suite past its Valid-Until is refused, or taken by an explicit setting that the target records", async () => {
    const [date, validUntil] = [new Date("2026-01-02T00:00:00Z"), new Date("2026-01-09T00:00:00Z")];
    await using old = await createSmallArchive({ directory, suite: "small", sources: [alpha], architecture: "amd64", date, validUntil });
    const place = { url: old.url, keyrings: [old.keyring] };
    await expect(resolve(place)).rejects.toMatchObject({ code: "expired" });
    expect(targetsOf(await resolve({ ...place, allowExpired: true }))[0]?.environment.expiredAllowed).toBe(true);
  });

  test("a new state is followed, and an older one is not taken back", async () => {
    await using growing = await createSmallArchive({ directory, suite: "small", sources: [alpha], date: new Date("2026-01-02T00:00:00Z") });
    const resolver = await openResolver({ url: growing.url, keyrings: [growing.keyring] });
    await resolver.resolveTargets(request);
    await growing.publish({ sources: [{ ...alpha, version: "1.1" }], date: new Date("2026-01-03T00:00:00Z") });
    time = new Date(time.getTime() + 61_000);
    expect(targetsOf(await resolver.resolveTargets(request))[0]?.version).toBe("1.1");
    await growing.publish({ date: new Date("2026-01-02T00:00:00Z") });
    time = new Date(time.getTime() + 61_000);
    await expect(resolver.resolveTargets(request)).rejects.toMatchObject({ code: "older-than-known" });
  });

  test("a state that changes between InRelease and the indices is read again", async () => {
    const mirror = join(directory, "mirror");
    await using growing = await createSmallArchive({ directory, suite: "small", sources: [alpha], date: new Date("2026-01-02T00:00:00Z") });
    await cp(growing.root, mirror, { recursive: true });
    await growing.publish({ sources: [{ ...alpha, version: "1.1" }], date: new Date("2026-01-03T00:00:00Z") });
    await using changing = await serveDirectory(mirror);
    const resolver = await openResolver({ url: changing.url, keyrings: [growing.keyring] });
    changing.answer = (path) => {
      if (path.includes("/InRelease")) return undefined;
      rmSync(mirror, { recursive: true });
      cpSync(growing.root, mirror, { recursive: true });
      changing.answer = undefined;
      return undefined;
    };
    expect(targetsOf(await resolver.resolveTargets(request))[0]?.version).toBe("1.1");
    expect(changing.requests.filter((line) => line.includes("InRelease"))).toHaveLength(2);
  });
});
