import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256Of } from "@quorate/protocol/digest";
import type { Target } from "@quorate/protocol/target";
import { utf8 } from "@quorate/protocol/utf8";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSmallArchive, type SmallArchive } from "../../../test/small-archive.ts";
import { archiveSchema } from "./archive-config.ts";
import { type IndexFile, openIndexFile, type StoredFile } from "./index-file.ts";
import { createTargetResolver } from "./resolve-target.ts";
import { verifyTarget } from "./verify-target.ts";

const other = sha256Of(utf8("other"));
let directory: string;
let small: SmallArchive;
let files: ReadonlyMap<string, StoredFile>;
let alpha: Target;
let beta: Target;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "verify-target-"));
  const sources = [
    { source: "alpha", version: "1.0", architecture: "all" as const },
    { source: "beta", version: "2.0", binNmu: 1 },
  ];
  small = await createSmallArchive({ directory, suite: "small", architecture: "amd64", sources });
  const archive = archiveSchema.parse({ distribution: "debian", url: small.url, keyrings: [small.keyring] });
  const resolver = await createTargetResolver({ archives: [archive], cacheDirectory: join(directory, "cache") });
  const stored: StoredFile[] = [];
  const resolve = async (source: string): Promise<Target> => {
    const resolution = await resolver.resolveTargets({ distribution: "debian", suite: "small", source });
    if (resolution.kind === "refused") throw new Error(resolution.refusal.kind);
    stored.push(...resolution.files);
    const [target] = resolution.targets;
    if (target === undefined) throw new Error("no target");
    return target;
  };
  [alpha, beta] = [await resolve("alpha"), await resolve("beta")];
  files = new Map(stored.map((file) => [file.sha256, file]));
});

afterAll(async () => {
  await small[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const openIndex = async (path: string): Promise<IndexFile> => {
  const stored = files.get(alpha.environment.suites[0]?.indices.find((index) => index.path === path)?.sha256 ?? "");
  if (stored === undefined) throw new Error(`not pinned: ${path}`);
  return await openIndexFile(path, stored);
};

describe("a target", () => {
  test("is taken when the signed indices say the same", async () => {
    expect(await verifyTarget(alpha, openIndex)).toBe(alpha);
    expect(await verifyTarget(beta, openIndex)).toBe(beta);
  });

  test.each<[string, (target: Target) => Target]>([
    [
      "another reference digest",
      (target) => ({ ...target, artifacts: target.artifacts.map((artifact) => ({ ...artifact, sha256: other })) }),
    ],
    ["another source digest", (target) => ({ ...target, files: target.files.map((file) => ({ ...file, sha256: other })) })],
    ["a source file less", (target) => ({ ...target, files: target.files.slice(1) })],
    ["another directory", (target) => ({ ...target, directory: "pool/main/x" })],
    ["another version", (target) => ({ ...target, version: "9.0" })],
    ["another source", (target) => ({ ...target, source: "gamma" })],
    ["another architecture", (target) => ({ ...target, architecture: "arm64" })],
    ["no word of the rebuild", (target) => Object.fromEntries(Object.entries(target).filter(([name]) => name !== "binNmu")) as Target],
  ])("with %s is refused", async (_, change) => {
    await expect(verifyTarget(change(beta), openIndex)).rejects.toMatchObject({ code: "digest-differs" });
  });

  test("whose environment does not pin its own suite is refused", async () => {
    await expect(verifyTarget({ ...alpha, suite: "large" }, openIndex)).rejects.toMatchObject({ code: "wrong-suite" });
  });
});
