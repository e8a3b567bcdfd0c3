import { execFile } from "node:child_process";
import { chmod, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export type SampleSource = {
  name: string;
  version: string;
  /** Makefile lines that fill `$(OUT)`, the package's root; each is one recipe line without its tab. */
  recipe: readonly string[];
  /** Variables of the environment that only the published build has: the archive's binary then differs from every rebuild. */
  publishedWith?: Readonly<Record<string, string>>;
};

/** A source package and the binary that the distribution published of it. */
export type BuiltSample = { dsc: string; deb: string };

const writesTenIntermediates = "mkdir -p work && for i in 0 1 2 3 4 5 6 7 8 9; do echo intermediate $$i > work/$$i.o; done";

/** Sources that show each kind of verdict. All are arch:all and need nothing beyond a base chroot. */
export const samples = {
  /** Rebuilds to the published bytes; leaves ten intermediate files for the build trace. */
  reproducible: { name: "sample-steady", version: "1.2-3", recipe: [writesTenIntermediates, "echo steady > $(OUT)/usr/share/sample/text"] },
  /** The published binary was made differently; all rebuilds agree with each other. */
  drifted: {
    name: "sample-drifted",
    version: "2.0-1",
    recipe: ['echo "made with $${TOOLCHAIN:-today}" > $(OUT)/usr/share/sample/text'],
    publishedWith: { TOOLCHAIN: "yesterday" },
  },
  /** Differs at every build. */
  random: { name: "sample-random", version: "0.1-1", recipe: ["head -c 32 /dev/urandom > $(OUT)/usr/share/sample/bytes"] },
  /** Does not build in a sandbox without network. */
  broken: {
    name: "sample-broken",
    version: "1.0-1",
    recipe: ['test "$${PUBLISHED:-}" = yes', "echo x > $(OUT)/usr/share/sample/text"],
    publishedWith: { PUBLISHED: "yes" },
  },
  /** Builds for twenty seconds: long enough to be interrupted. */
  slow: {
    name: "sample-slow",
    version: "3.0-1",
    recipe: ['test "$${PUBLISHED:-}" = yes || sleep 20', "echo slow > $(OUT)/usr/share/sample/text"],
    publishedWith: { PUBLISHED: "yes" },
  },
} as const satisfies Record<string, SampleSource>;

/** Makes the source package with dpkg-source and the published binary with dpkg-buildpackage, both in `directory`. */
export async function buildSample(sample: SampleSource, directory: string): Promise<BuiltSample> {
  const upstream = sample.version.replace(/-[^-]*$/, "");
  const tree = join(directory, `${sample.name}-${upstream}`);
  await writeTree(tree, sample);
  await run("tar", [
    "--sort=name",
    "--mtime=@1700000000",
    "--owner=0",
    "--group=0",
    "--exclude=debian",
    "-caf",
    join(directory, `${sample.name}_${upstream}.orig.tar.gz`),
    "-C",
    directory,
    `${sample.name}-${upstream}`,
  ]);
  await run("dpkg-source", ["-b", tree], { cwd: directory });
  await run("dpkg-buildpackage", ["-us", "-uc", "-b", "-d"], { cwd: tree, env: { ...process.env, ...sample.publishedWith } });
  const made = await readdir(directory);
  const find = (ending: string) => {
    const name = made.find((candidate) => candidate.startsWith(`${sample.name}_`) && candidate.endsWith(ending));
    if (name === undefined) throw new Error(`building the sample ${sample.name}: no ${ending} was made in ${directory}`);
    return join(directory, name);
  };
  return { dsc: find(".dsc"), deb: find(".deb") };
}

async function writeTree(tree: string, sample: SampleSource): Promise<void> {
  await mkdir(join(tree, "debian", "source"), { recursive: true });
  const write = (path: string, text: string) => writeFile(join(tree, path), text);
  await write("README", `${sample.name}\n`);
  await write("debian/source/format", "3.0 (quilt)\n");
  await write(
    "debian/changelog",
    `${sample.name} (${sample.version}) unstable; urgency=medium\n\n  * Sample.\n\n -- Quorate <test@example.invalid>  Tue, 14 Nov 2023 22:13:20 +0000\n`,
  );
  await write(
    "debian/control",
    `Source: ${sample.name}\nSection: misc\nPriority: optional\nMaintainer: Quorate <test@example.invalid>\nStandards-Version: 4.6.2\nRules-Requires-Root: no\n\n` +
      `Package: ${sample.name}\nArchitecture: all\nDescription: sample of Quorate's tests\n A package that shows one kind of verdict.\n`,
  );
  const recipe = [
    "rm -rf $(OUT)",
    "mkdir -p $(OUT)/DEBIAN $(OUT)/usr/share/sample",
    ...sample.recipe,
    "dpkg-gencontrol -P$(OUT)",
    "dpkg-deb --root-owner-group -Znone -b $(OUT) ..",
  ];
  await write(
    "debian/rules",
    `#!/usr/bin/make -f\nOUT = debian/out\nclean:\n\trm -rf $(OUT) work debian/files\nbuild build-arch build-indep binary-arch:\nbinary: binary-indep\nbinary-indep:\n${recipe.map((line) => `\t${line}\n`).join("")}.PHONY: clean build build-arch build-indep binary binary-arch binary-indep\n`,
  );
  await chmod(join(tree, "debian/rules"), 0o755);
}
