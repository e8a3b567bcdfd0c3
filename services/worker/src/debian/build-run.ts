import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseVersion } from "@quorate/debian/version";
import type { Sha256 } from "@quorate/protocol/digest";
import type { Target } from "@quorate/protocol/target";
import { buildParent } from "./base.ts";
import { BuildFailure } from "./build-failure.ts";
import type { Sandbox } from "./sandbox.ts";
import { openTreeFile, resolveInside } from "./sandbox-tree.ts";
import type { SourceFiles } from "./source-files.ts";
import { hashTree } from "./trace.ts";

export const inputsInside = "/build/inputs";

/** What the distribution's builders set, and nothing of this host. */
export function buildEnvironment(parallel: number): Record<string, string> {
  return {
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/games",
    LANG: "C.UTF-8",
    LC_ALL: "C.UTF-8",
    TZ: "UTC",
    HOME: "/sbuild-nonexistent",
    LOGNAME: "builder",
    USER: "builder",
    SHELL: "/bin/sh",
    TERM: "unknown",
    DEB_BUILD_OPTIONS: `parallel=${parallel}`,
  };
}

/** The directory in which the distribution's builders unpack a source: it is part of what debug information says. */
export function buildDirectoryOf({ source, version }: Pick<Target, "source" | "version">): string {
  return `${buildParent}/${source}-${parseVersion(version).upstream}`;
}

export type BuildRun = {
  sandbox: Sandbox;
  target: Target;
  files: SourceFiles;
  /** The host's directory that is seen as {@link inputsInside}. */
  inputs: string;
  parallel: number;
  /** Of a target that is a rebuild of binaries only: the changelog with their own entry in front. */
  completeChangelog?: (changelog: string) => Promise<string>;
};

/** Unpacks and builds. @returns the digests of the files of the source as unpacked @throws BuildFailure with the step that failed */
export async function runBuild(run: BuildRun): Promise<Set<Sha256>> {
  const { sandbox, target, files, parallel } = run;
  const directory = buildDirectoryOf(target);
  const environment = buildEnvironment(parallel);
  const step = async (name: string, { words, workingDirectory }: { words: string[]; workingDirectory: string }) => {
    const status = await sandbox.run({ words, user: "builder", workingDirectory, environment });
    if (status === 0) return;
    throw new BuildFailure("build-failed", { step: name, message: `${words[0]} ended with status ${status}; the build log says why` });
  };
  const unpack = ["dpkg-source", "--no-check", "--no-copy", "-x", `${inputsInside}/${files.description}`, directory];
  await step("unpack", { words: unpack, workingDirectory: buildParent });
  if (run.completeChangelog !== undefined) {
    const changelog = await readChangelog(await resolveInside(sandbox.hostRoot, `${directory}/debian`));
    await writeFile(join(run.inputs, "changelog"), await run.completeChangelog(changelog));
    await step("binary-only-entry", { words: ["/bin/sh", "-euc", replaceChangelog], workingDirectory: directory });
  }
  const sourceDigests = await hashTree(await resolveInside(sandbox.hostRoot, directory));
  const words = ["dpkg-buildpackage", "-us", "-uc", "-rfakeroot", target.architecture === "all" ? "-A" : "-B"];
  await step("build", { words, workingDirectory: directory });
  return sourceDigests;
}

/** The file's time stays: builders keep it, and some packages put it into their documentation. */
const replaceChangelog = [
  "touch -r debian/changelog /tmp/changelog-time",
  `cat ${inputsInside}/changelog >debian/changelog`,
  "touch -r /tmp/changelog-time debian/changelog",
  "rm /tmp/changelog-time",
].join("; ");

const maxChangelogBytes = 16 * 1024 * 1024;

async function readChangelog(directory: string): Promise<string> {
  await using file = await openTreeFile(join(directory, "changelog"));
  if ((await file.stat()).size > maxChangelogBytes) throw new Error(`reading debian/changelog: more than ${maxChangelogBytes} bytes`);
  return await readFile(file, "utf8");
}
