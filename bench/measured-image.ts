import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { auditTree } from "@quorate/host/audit";
import { loadImage } from "@quorate/host/load-archive";
import { chooseBasePackages } from "./base-packages.ts";
import type { DescribedHost } from "./described-host.ts";
import { sha256OfFile } from "../services/cli/src/file-digest.ts";
import type { Figure } from "./figure.ts";
import { fastest, feed } from "./timing.ts";

const run = promisify(execFile);
const packagesInImage = 120;

/** An audit of an image in the OCI layout, with the packages of this machine that a base system has. */
export async function measureImage({ known, packages, placesOf }: DescribedHost, signal: AbortSignal): Promise<Figure> {
  const directory = await mkdtemp(join(tmpdir(), "quorate-bench-"));
  try {
    const chosen = await chooseBasePackages(packages, packagesInImage);
    const paths = [...new Set(chosen.flatMap((installed) => placesOf.get(installed) ?? []))];
    const { layout, layer } = await writeImage(
      directory,
      paths,
      chosen.map(({ package: name }) => name),
    );
    const audit = async () => void (await auditTree({ tree: await loadImage(layout, { architecture: "amd64", signal }), known, signal }));
    const seconds = await fastest(audit);
    const sumSeconds = await fastest(() => feed("sha256sum", [layer], ""));
    const name = `audit of an image of the first ${chosen.length} packages by priority and dependency, ${paths.length} paths, streamed`;
    return {
      name,
      value: seconds,
      unit: "s",
      ratio: sumSeconds / seconds,
      reference: `sha256sum of its layer: ${sumSeconds.toFixed(2)} s`,
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function writeImage(
  directory: string,
  paths: readonly string[],
  names: readonly string[],
): Promise<{ layout: string; layer: string }> {
  const root = join(directory, "root");
  await mkdir(join(root, "var/lib/dpkg"), { recursive: true });
  const { stdout: status } = await run("dpkg", ["--status", ...names], { maxBuffer: 1 << 28 });
  await writeFile(join(root, "var/lib/dpkg/status"), status);
  const list = join(directory, "list");
  await writeFile(list, paths.map((path) => `${path}\0`).join(""));
  const layer = join(directory, "layer.tar");
  const options = ["--numeric-owner", "--ignore-failed-read", "--no-recursion", "--null"];
  await run("tar", [...options, "-cf", layer, "-C", "/", "-T", list, "-C", root, "var/lib/dpkg/status"]);
  const layout = join(directory, "layout");
  const blobs = join(layout, "blobs/sha256");
  await mkdir(blobs, { recursive: true });
  const sha256 = await sha256OfFile(layer);
  const stored = join(blobs, sha256);
  await rename(layer, stored);
  const manifest = join(directory, "manifest.json");
  await writeFile(manifest, JSON.stringify({ layers: [{ digest: `sha256:${sha256}` }] }));
  const manifestSha256 = await sha256OfFile(manifest);
  await writeFile(join(blobs, manifestSha256), await readFile(manifest));
  await writeFile(join(layout, "index.json"), JSON.stringify({ manifests: [{ digest: `sha256:${manifestSha256}` }] }));
  return { layout, layer: stored };
}
