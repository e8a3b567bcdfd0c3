import { execFile } from "node:child_process";
import { cp, link, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { createSuiteSigner, writeSuite } from "./signed-suite.ts";

const run = promisify(execFile);

/** A source package that builds, with nothing but dpkg-dev and make, one binary package of the same name. */
export type SmallSource = {
  source: string;
  version: string;
  /** `any` (by default) or `all`. */
  architecture?: "any" | "all";
  /** Name of the binary package; the source's own by default. */
  package?: string;
  /** Further binary packages with the same content, by name. */
  morePackages?: readonly string[];
  /** Further files of the source tree, by path. */
  tree?: Record<string, string>;
  /** Shell lines that the build runs in the source tree. */
  build?: readonly string[];
  /** Shell lines that put files below `$D`, the root of the binary package. */
  install?: readonly string[];
  /** Of the binary package; none by default, which is fastest. */
  compression?: "xz";
  /** A rebuild without source change: the published binaries get the version `VERSION+bN`. */
  binNmu?: number;
  /** Files of the tree that only the published binary was built from: the source does not reproduce it. */
  publishedTree?: Record<string, string>;
  buildDepends?: string;
};

export type SmallArchiveOptions = {
  directory: string;
  suite: string;
  sources: readonly SmallSource[];
  /** Directory of further .deb files that the archive publishes, such as those a base chroot is made of. */
  packages?: string;
  codename?: string;
  /** Machine architecture; the host's by default. */
  architecture?: string;
  component?: string;
  date?: Date;
  validUntil?: Date;
  byHash?: boolean;
};

export type SmallArchive = {
  /** `file://` URL of its root. */
  readonly url: string;
  readonly root: string;
  /** The public key that signs it, a binary keyring file. */
  readonly keyring: string;
  /** Publishes further sources, and signs a new state of the suite. */
  publish(change: { sources?: readonly SmallSource[]; date?: Date; validUntil?: Date }): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

/** A small Debian archive on disk: a pool built by dpkg's tools, indices by apt-ftparchive, and InRelease signed by a fresh key. */
export async function createSmallArchive(options: SmallArchiveOptions): Promise<SmallArchive> {
  const root = join(options.directory, "archive");
  await mkdir(root, { recursive: true });
  const architecture = options.architecture ?? (await run("dpkg", ["--print-architecture"])).stdout.trim();
  const signer = await createSuiteSigner(join(options.directory, "archive-keyring.gpg"));
  const publish: SmallArchive["publish"] = async ({ sources = [], date, validUntil }) => {
    for (const source of sources) await buildSource(root, { component: "main", ...options }.component, source);
    await indexSuite(root, { ...options, architecture, date: date ?? new Date(), ...(validUntil === undefined ? {} : { validUntil }) });
    await signer.sign(root, options.suite);
  };
  try {
    if (options.packages !== undefined) await publishPackages(root, options.packages, options.component);
    await publish(options);
  } catch (error) {
    await signer[Symbol.asyncDispose]();
    throw error;
  }
  return { url: `file://${root}`, root, keyring: signer.keyring, publish, [Symbol.asyncDispose]: signer[Symbol.asyncDispose] };
}

async function publishPackages(root: string, directory: string, component = "main"): Promise<void> {
  const pool = join(root, "pool", component, "packages");
  await mkdir(pool, { recursive: true });
  for (const file of await readdir(directory)) {
    await link(join(directory, file), join(pool, file)).catch(async () => await cp(join(directory, file), join(pool, file)));
  }
}

async function buildSource(root: string, component: string, source: SmallSource): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), "small-source-"));
  try {
    const tree = join(work, `${source.source}-tree`);
    await writeTree(tree, { ...source.tree, ...packaging(source) });
    const environment = { PATH: process.env["PATH"], LC_ALL: "C.UTF-8", TZ: "UTC", HOME: work };
    await run("chmod", ["755", join(tree, "debian/rules")]);
    await run("dpkg-source", ["--build", tree], { cwd: work, env: environment });
    await writeTree(tree, source.publishedTree ?? {});
    if (source.binNmu !== undefined) {
      const changelog = join(tree, "debian/changelog");
      await writeFile(changelog, changelogEntry(source, source.binNmu) + (await readFile(changelog, "utf8")));
    }
    await run("dpkg-buildpackage", ["-us", "-uc", "-b", "-d"], { cwd: tree, env: environment });
    const pool = join(root, "pool", component, source.source.slice(0, 1), source.source);
    await mkdir(pool, { recursive: true });
    for (const file of await readdir(work)) if (/\.(?:deb|dsc|tar\.[a-z0-9]+)$/.test(file)) await cp(join(work, file), join(pool, file));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function packaging(source: SmallSource): Record<string, string> {
  const {
    architecture = "any",
    package: name = source.source,
    morePackages = [],
    build = [],
    install,
    buildDepends,
    compression = "none",
  } = source;
  const names = [name, ...morePackages];
  const installed = install ?? [`mkdir -p $D/usr/share/${name}`, `echo ${name} > $D/usr/share/${name}/name`];
  const recipe = (lines: readonly string[]) => lines.map((line) => `\t${line.replaceAll("$", () => "$$")}\n`).join("");
  const kind = architecture === "all" ? "indep" : "arch";
  return {
    "debian/control": [
      `Source: ${source.source}\nSection: misc\nPriority: optional\nMaintainer: Small Archive <archive@example.org>`,
      `\nStandards-Version: 4.6.2\nRules-Requires-Root: no\n${buildDepends === undefined ? "" : `Build-Depends: ${buildDepends}\n`}`,
      ...names.map(
        (each) =>
          `\nPackage: ${each}\nArchitecture: ${architecture}\nDescription: package ${each} of a small archive\n Built to be rebuilt.\n`,
      ),
    ].join(""),
    "debian/changelog": changelogEntry(source, undefined),
    "debian/source/format": "3.0 (native)\n",
    "debian/rules": [
      "#!/usr/bin/make -f\nexport D = $(CURDIR)/debian/tmp\n",
      "clean:\n\trm -rf debian/tmp debian/files\n",
      `build: build-${kind}\nbuild-arch build-indep:\nbuild-${kind}:\n${recipe(build)}`,
      `binary: binary-${kind}\nbinary-arch binary-indep:\nbinary-${kind}: build-${kind}\n\trm -rf debian/tmp && mkdir -p debian/tmp/DEBIAN\n`,
      recipe([...installed, ...documents(name)]),
      ...names.flatMap((each) => [
        `\tdpkg-gencontrol -p${each}\n`,
        "\tfind debian/tmp -newermt @$(SOURCE_DATE_EPOCH) -print0 | xargs -0r touch -hd @$(SOURCE_DATE_EPOCH)\n",
        // Uncompressed unless a test needs it: then another dpkg of another release makes the same bytes.
        `\tdpkg-deb --root-owner-group -Z${compression} --build debian/tmp ..\n`,
      ]),
    ].join(""),
  };
}

/** The changelog as debhelper installs it: a binary-only entry apart, where a rebuilder finds it. */
function documents(name: string): string[] {
  const own = `$D/usr/share/doc/${name}/changelog.Debian.$(dpkg --print-architecture)`;
  return [
    `mkdir -p $D/usr/share/doc/${name}`,
    `awk '/binary-only=yes/ { own = 1 } own { print } /^ -- / { exit }' debian/changelog > ${own}`,
    `if [ -s ${own} ]; then gzip -9n ${own}; else rm ${own}; fi`,
  ];
}

function changelogEntry({ source, version }: SmallSource, binNmu: number | undefined): string {
  const suffix = binNmu === undefined ? "" : `+b${binNmu}`;
  const head = `${source} (${version}${suffix}) unstable; urgency=low${binNmu === undefined ? "" : ", binary-only=yes"}`;
  const what = binNmu === undefined ? "Release." : "Binary-only non-maintainer upload; no source changes.";
  return `${head}\n\n  * ${what}\n\n -- Small Archive <archive@example.org>  Thu, 01 Jan 2026 12:00:00 +0000\n\n`;
}

async function writeTree(directory: string, files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), text);
  }
}

async function indexSuite(root: string, options: SmallArchiveOptions & { architecture: string; date: Date }): Promise<void> {
  const { component = "main", architecture } = options;
  const pool = `pool/${component}`;
  await mkdir(join(root, pool), { recursive: true });
  const list = async (...words: string[]) => (await run("apt-ftparchive", words, { cwd: root, maxBuffer: 1 << 26 })).stdout;
  const packages = await list("--arch", architecture, "packages", pool);
  const sources = await list("sources", pool);
  await writeSuite(root, { ...options, packages, sources });
}
