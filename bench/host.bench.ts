import { auditTree } from "@quorate/host/audit";
import { DirectoryTree } from "@quorate/host/directory-tree";
import { FileHasher } from "@quorate/host/file-hasher";
import { HashCache } from "@quorate/host/hash-cache";
import { describeHost } from "./described-host.ts";
import type { Figure } from "./figure.ts";
import { measureImage } from "./measured-image.ts";
import { fastest, feed, timeOf } from "./timing.ts";

const signal = new AbortController().signal;

/**
 * A full audit of this machine's packages, and one with a cache, beside what administrators use today on the same files in the same run; everything
 * is in the page cache. Manifests are made from what is installed, since the packages themselves may be gone from every mirror.
 */
export async function measure(): Promise<Figure[]> {
  await using hasher = new FileHasher();
  const tree = new DirectoryTree("/", hasher);
  const host = await describeHost(tree);
  const { known, paths, packages } = host;
  const list = paths.map((path) => `/${path}\0`).join("");
  // Brings all files into the page cache, and starts the threads.
  const { findings } = await auditTree({ tree, known, signal });
  const auditSeconds = await fastest(async () => void (await auditTree({ tree, known, signal })));
  let kept: Uint8Array = new Uint8Array();
  const auditWithCache = async () => {
    const cache = new HashCache(kept, { now: new Date(), random: Math.random });
    await auditTree({ tree: new DirectoryTree("/", hasher, cache), known, signal });
    kept = cache.format();
  };
  await auditWithCache();
  const againSeconds = await fastest(auditWithCache);
  const sumSeconds = await fastest(() => feed("xargs", ["-0", "sha256sum"], list));
  const verifySeconds = await fastest(() => feed("dpkg", ["--verify"], ""));
  const debsumsSeconds = await timeOf(() => feed("debsums", ["--silent"], ""));
  const about = `${packages.length} packages, ${paths.length} files of theirs, ${findings.length} findings`;
  const beside = (name: string, value: number, [seconds, reference]: [number, string]): Figure => {
    return { name, value, unit: "s", ratio: seconds / value, reference: `${reference}: ${seconds.toFixed(2)} s` };
  };
  const sum: [number, string] = [sumSeconds, "sha256sum of the same files, one process"];
  const audit = `audit of this machine: ${about}`;
  return [
    beside(audit, auditSeconds, sum),
    beside(audit, auditSeconds, [verifySeconds, "dpkg --verify"]),
    beside(audit, auditSeconds, [debsumsSeconds, "debsums --silent"]),
    beside("again, with a cache; one file in twenty is read", againSeconds, sum),
    await measureImage(host, signal),
  ];
}
