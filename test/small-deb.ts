import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A binary package that is put together by hand: what is in it is all that a test needs to know. */
export type SmallDeb = {
  name: string;
  version?: string;
  /** Content by path; `-> target` for a symbolic link. */
  files: Record<string, string | Uint8Array>;
  /** Modes other than 0755 for what is in a bin or lib directory and 0644 for the rest. */
  modes?: Record<string, number>;
  conffiles?: readonly string[];
  /** Maintainer scripts by name. */
  scripts?: Record<string, string>;
  /** Fields of the control file besides those that every package has. */
  control?: string;
};

/** Builds a package into a directory, and gives its path. */
export async function buildSmallDeb(directory: string, deb: SmallDeb): Promise<string> {
  const { name, version = "1.0", files, modes = {}, conffiles = [], scripts = {}, control = "" } = deb;
  const tree = await mkdtemp(join(tmpdir(), "small-deb-"));
  try {
    await chmod(tree, 0o755);
    for (const [path, content] of Object.entries(files)) {
      const place = join(tree, path);
      await mkdir(dirname(place), { recursive: true });
      const target = typeof content === "string" ? /^-> (.*)$/.exec(content)?.[1] : undefined;
      if (target === undefined) await writeFile(place, content);
      else await symlink(target, place);
      if (target === undefined) await chmod(place, modes[path] ?? (/(?:^|\/)s?bin\//.test(path) ? 0o755 : 0o644));
    }
    await mkdir(join(tree, "DEBIAN"));
    const fields = `Package: ${name}\nVersion: ${version}\nArchitecture: all\nMaintainer: Small <small@example.org>\nDescription: a small package\n`;
    await writeFile(join(tree, "DEBIAN/control"), fields + control);
    if (conffiles.length > 0) await writeFile(join(tree, "DEBIAN/conffiles"), conffiles.map((path) => `/${path}\n`).join(""));
    for (const [script, text] of Object.entries(scripts)) await writeFile(join(tree, "DEBIAN", script), text, { mode: 0o755 });
    const path = join(directory, `${name}_${version}_all.deb`);
    await run("dpkg-deb", ["--root-owner-group", "-Znone", "--build", tree, path]);
    return path;
  } finally {
    await rm(tree, { recursive: true, force: true });
  }
}
