import type { LinkedFile } from "@quorate/attestation/in-toto-link";
import type { LinkSigner } from "@quorate/signing/link-key";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import type { Built, LocalFile } from "./executor.ts";

/** One signed in-toto link for each package file that came out, in the order of the artifacts. */
export async function signLinks({ artifacts, buildinfo }: Built, signer: LinkSigner): Promise<string[]> {
  const material = buildinfo && (await linkedFile(buildinfo));
  const links: string[] = [];
  for (const artifact of artifacts) links.push(signer.sign({ product: await linkedFile(artifact), buildinfo: material }));
  return links;
}

async function linkedFile({ name, path, sha256 }: LocalFile): Promise<LinkedFile> {
  const hash = createHash("sha512");
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return { name, sha256, sha512: hash.digest("hex") };
}
