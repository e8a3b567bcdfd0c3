import { createHash } from "node:crypto";
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { parseSha256 } from "@quorate/protocol/digest";
import { fileNameSchema } from "@quorate/protocol/names";
import type { Built, LinkedLocalFile } from "../executor.ts";
import { openTreeFile } from "./sandbox-tree.ts";

export type BuildProducts = Pick<Built, "artifacts" | "buildinfo">;

const maxArtifacts = 2000;
const maxBuildinfoBytes = 16 * 1024 * 1024;

/** Copies what a build left beside its tree out of the sandbox, hashing each file on the way. */
export async function collectProducts(from: string, to: string): Promise<BuildProducts> {
  const names = (await readdir(from)).filter((name) => fileNameSchema.safeParse(name).success).sort();
  const packages = names.filter((name) => /\.u?deb$/.test(name));
  if (packages.length > maxArtifacts)
    throw new Error(`collecting artifacts: ${packages.length} are more than the ${maxArtifacts} of a target`);
  const artifacts: LinkedLocalFile[] = [];
  for (const name of packages) artifacts.push(await copyOut({ name, from, to }));
  const description = names.find((name) => name.endsWith(".buildinfo"));
  if (description === undefined) return { artifacts };
  return { artifacts, buildinfo: await copyOut({ name: description, from, to, maxBytes: maxBuildinfoBytes }) };
}

type Copy = { name: string; from: string; to: string; maxBytes?: number };

async function copyOut({ name, from, to, maxBytes = Infinity }: Copy): Promise<LinkedLocalFile> {
  const path = join(to, name);
  await using source = await openTreeFile(join(from, name));
  await using target = await open(path, "wx", 0o644);
  const [sha256, sha512] = [createHash("sha256"), createHash("sha512")];
  const chunk = Buffer.allocUnsafe(1024 * 1024);
  let sizeBytes = 0;
  for (;;) {
    const { bytesRead } = await source.read(chunk, 0, chunk.length, null);
    if (bytesRead === 0) break;
    sizeBytes += bytesRead;
    if (sizeBytes > maxBytes) throw new Error(`collecting ${name}: more than ${maxBytes} bytes`);
    for (const hash of [sha256, sha512]) hash.update(chunk.subarray(0, bytesRead));
    await target.writeFile(chunk.subarray(0, bytesRead));
  }
  return { name, path, sizeBytes, sha256: parseSha256(sha256.digest("hex")), sha512: sha512.digest("hex") };
}
