import { basename } from "node:path";
import { parseSha256 } from "@quorate/protocol/digest";
import { environmentLockSchema } from "@quorate/protocol/environment-lock";
import { ParseError } from "@quorate/protocol/parse-error";
import type { GatedPackage } from "./gate.ts";

const maxLockFileBytes = 16 * 2 ** 20;

/**
 * Packages that a lock file names by digest: what `sha256sum *.deb` writes, or the environment lock of a rebuild, which is JSON.
 *
 *     9f86…  hello_2.10-3_amd64.deb
 *
 * @throws ParseError for a file that names none
 */
export function parseLockFile(text: string): GatedPackage[] {
  if (text.length > maxLockFileBytes) throw new ParseError(`lock file of at most ${maxLockFileBytes} characters`, text.slice(0, 100));
  const packages = text.startsWith("{")
    ? environmentLockPackages(text)
    : text
        .split("\n")
        .filter((line) => line !== "")
        .map(summedPackage);
  if (packages.length === 0) throw new ParseError("lock file that names a package", text.slice(0, 100));
  return packages;
}

/** As archives name their files; a colon is written %3a. */
export function packageNamedBy(path: string): Pick<GatedPackage, "package" | "version" | "architecture"> {
  const [name = "", version = "", architecture = ""] = basename(path)
    .replace(/\.deb$/, "")
    .replaceAll("%3a", ":")
    .split("_");
  return { package: name, version, architecture };
}

function environmentLockPackages(text: string): GatedPackage[] {
  try {
    return environmentLockSchema.parse(JSON.parse(text)).packages;
  } catch (cause) {
    throw new ParseError("environment lock", text.slice(0, 200), { cause });
  }
}

function summedPackage(line: string): GatedPackage {
  const [, sha256, path] = /^([0-9a-f]{64}) [ *](.+\.deb)$/.exec(line) ?? [];
  if (sha256 === undefined || path === undefined) throw new ParseError("line of a lock file: digest, two spaces, FILE.deb", line);
  return { ...packageNamedBy(path), sha256: parseSha256(sha256) };
}
