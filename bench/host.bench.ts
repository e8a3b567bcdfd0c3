import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { type ManifestMember, formatManifest, parseManifest } from "@quorate/attestation/manifest";
import { digestOf, sampleTarget } from "@quorate/attestation/nouns.fixture";
import type { InstalledPackage } from "@quorate/debian/dpkg-status";
import { type KnownPackages, auditTree } from "@quorate/host/audit";
import { DirectoryTree } from "@quorate/host/directory-tree";
import { type DpkgDatabase, loadDpkgDatabase, loadInstalledPaths } from "@quorate/host/dpkg-database";
import { FileHasher } from "@quorate/host/file-hasher";
import { loadTar } from "@quorate/host/load-archive";
import { Locator } from "@quorate/host/locator";
import type { SnapshotArtifact } from "@quorate/verdict/snapshot-artifact";
import type { Figure } from "./figure.ts";

const run = promisify(execFile);
const signal = new AbortController().signal;
const repetitions = 3;

/**
 * A full audit of this machine's packages, beside what administrators use today on the same files in the same run; everything is in the page
 * cache. Manifests are made from what is installed, since the packages themselves may be gone from every mirror.
 */
export async function measure(): Promise<Figure[]> {
  await using hasher = new FileHasher();
  const tree = new DirectoryTree("/", hasher);
  const { known, paths, packages } = await describeHost(tree);
  const list = paths.map((path) => `/${path}\0`).join("");
  const audit = () => auditTree({ tree, known, signal });
  // Brings all files into the page cache, and starts the threads.
  const { findings } = await audit();
  const auditSeconds = await fastest(async () => void (await audit()));
  const sumSeconds = await fastest(() => feed("xargs", ["-0", "sha256sum"], list));
  const verifySeconds = await fastest(() => feed("dpkg", ["--verify"], ""));
  const debsumsSeconds = await timeOf(() => feed("debsums", ["--silent"], "")).catch(() => undefined);
  const about = `${packages} packages, ${paths.length} files of theirs, ${findings.length} findings`;
  const beside = (seconds: number, reference: string): Figure => ({
    name: `audit of this machine: ${about}`,
    value: auditSeconds,
    unit: "s",
    ratio: seconds / auditSeconds,
    reference: `${reference}: ${seconds.toFixed(2)} s`,
  });
  return [
    beside(sumSeconds, "sha256sum of the same files, one process"),
    beside(verifySeconds, "dpkg --verify"),
    ...(debsumsSeconds === undefined ? [] : [beside(debsumsSeconds, "debsums --silent")]),
    await measureTar(),
  ];
}

type Described = { known: KnownPackages; paths: string[]; packages: number };

/** A manifest of each installed package, as an operator would have made it, if its files are what the package installed. */
async function describeHost(tree: DirectoryTree): Promise<Described> {
  const database = loadDpkgDatabase(tree);
  const locator = new Locator(tree);
  const texts = new Map<string, string>();
  const hashed = new Set<string>();
  for (const installed of database.packages) {
    const members = await membersOf(installed, { tree, database, locator, hashed });
    texts.set(keyOf(installed), formatManifest(members));
  }
  const known: KnownPackages = {
    find: (installed) => [artifactOf(installed)],
    loadManifest: async (artifact) => parseManifest(texts.get(keyOf(artifact)) ?? ""),
  };
  return { known, paths: [...hashed], packages: texts.size };
}

type Describing = { tree: DirectoryTree; database: DpkgDatabase; locator: Locator; hashed: Set<string> };

async function membersOf(installed: InstalledPackage, { tree, database, locator, hashed }: Describing): Promise<ManifestMember[]> {
  const paths = new Map(
    loadInstalledPaths(tree, database, installed).map((path) => [path, locator.locate(database.diversions.get(path)?.to ?? path)]),
  );
  const digests = await tree.hash(
    [...paths.values()].filter((place) => tree.node(place)?.kind === "file"),
    { signal },
  );
  return [...paths].flatMap(([path, place]): ManifestMember[] => {
    const node = tree.node(place);
    if (node === undefined || node.kind === "socket" || node.kind === "unreadable") return [];
    const { kind, mode, uid, gid, linkTarget } = node;
    const digest = digests.get(place);
    if (digest?.kind === "hashed") hashed.add(place);
    return [
      {
        part: "data",
        path,
        kind,
        mode,
        owner: String(uid),
        group: String(gid),
        sizeBytes: kind === "file" ? node.sizeBytes : 0,
        ...(digest?.kind === "hashed" ? { sha256: digest.sha256 } : {}),
        ...(linkTarget === undefined ? {} : { linkTarget }),
        conffile: false,
      },
    ];
  });
}

const keyOf = ({ package: name, version, architecture }: Pick<InstalledPackage, "package" | "version" | "architecture">) =>
  `${name} ${version} ${architecture}`;

function artifactOf({ package: name, version, architecture, source }: InstalledPackage): SnapshotArtifact {
  const { distribution, suite } = sampleTarget;
  const common = {
    package: name,
    version,
    architecture,
    sha256: digestOf(`${name} ${version}`),
    outcome: "reproduced" as const,
    verdictIndex: 0,
  };
  return { ...common, distribution, suite, source: source.source, sourceVersion: source.version, file: `${name}.deb`, vouchers: [] };
}

/** The packages of this machine's essential part, streamed as a tar. */
async function measureTar(): Promise<Figure> {
  const directory = await mkdtemp(join(tmpdir(), "quorate-bench-"));
  try {
    const tar = join(directory, "root.tar");
    const parts = ["etc/passwd", "etc/group", "var/lib/dpkg", "bin", "lib", "sbin", "usr/bin", "usr/sbin", "usr/lib/x86_64-linux-gnu"];
    await run("tar", ["-C", "/", "--numeric-owner", "--ignore-failed-read", "-cf", tar, ...parts]);
    const { stdout } = await run("stat", ["-c", "%s", tar]);
    const megabytes = Number(stdout) / 1e6;
    const seconds = await fastest(async () => void (await loadTar(tar, signal)));
    const sumSeconds = await fastest(() => feed("sha256sum", [tar], ""));
    const name = `read a tar of ${megabytes.toFixed(0)} MB, and hash each file in it`;
    return { name, value: seconds, unit: "s", ratio: sumSeconds / seconds, reference: `sha256sum of the tar: ${sumSeconds.toFixed(2)} s` };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function fastest(work: () => Promise<void>): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < repetitions; run += 1) times.push(await timeOf(work));
  return Math.min(...times);
}

async function timeOf(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1000;
}

/** Runs a program to its end; what it finds is not looked at. */
async function feed(program: string, words: readonly string[], input: string): Promise<void> {
  const child = spawn(program, words, { stdio: ["pipe", "ignore", "ignore"] });
  const ended = new Promise<void>((resolve, reject) => child.once("error", reject).once("close", () => resolve()));
  await Promise.all([pipeline(Readable.from([Buffer.from(input)]), child.stdin).catch(() => undefined), ended]);
}
