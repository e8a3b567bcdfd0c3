import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSuiteSigner, writeSuite } from "../test/signed-suite.ts";

export type ListedArchive = { url: string; root: string; keyring: string; [Symbol.asyncDispose](): Promise<void> };

/** A signed archive with the sources `listed-0`, `listed-1` … in its suite `small`. Its indices list files that are not there: nobody may build. */
export async function createListedArchive(count: number): Promise<ListedArchive> {
  const directory = await mkdtemp(join(tmpdir(), "quorate-bench-"));
  const root = join(directory, "archive");
  await mkdir(root);
  await using signer = await createSuiteSigner(join(directory, "archive-keyring.gpg"));
  const names = Array.from({ length: count }, (_, number) => listedSource(number));
  const packages = names.map(packageStanza).join("\n");
  const sources = names.map(sourceStanza).join("\n");
  await writeSuite(root, { suite: "small", architecture: "amd64", date: new Date(), packages, sources });
  await signer.sign(root, "small");
  const dispose = () => rm(directory, { recursive: true, force: true });
  return { url: `file://${root}`, root, keyring: signer.keyring, [Symbol.asyncDispose]: dispose };
}

export function listedSource(number: number): string {
  return `listed-${number}`;
}

function packageStanza(name: string): string {
  const file = `${name}_1.0_all.deb`;
  return `Package: ${name}\nVersion: 1.0\nArchitecture: all\nFilename: pool/main/l/${name}/${file}\nSize: 4096\nSHA256: ${digestOf(file)}\n`;
}

function sourceStanza(name: string): string {
  const files = [`${name}_1.0.dsc`, `${name}_1.0.tar.xz`].map((file) => ` ${digestOf(file)} 1024 ${file}\n`).join("");
  return `Package: ${name}\nVersion: 1.0\nArchitecture: all\nDirectory: pool/main/l/${name}\nChecksums-Sha256:\n${files}`;
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
