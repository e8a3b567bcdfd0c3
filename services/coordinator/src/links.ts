import { parseLinks, verifyLink } from "@quorate/attestation/in-toto-link";
import { ParseError } from "@quorate/protocol/parse-error";
import type { Result } from "@quorate/protocol/result";
import { textOf } from "@quorate/protocol/utf8";
import { verifyNoteSignature } from "@quorate/signing/note-key";
import { parseBase64 } from "@quorate/tlog/base64";
import { VerificationError } from "@quorate/tlog/verification-error";
import type { OperatorKeys } from "@quorate/verdict/enrolled";
import type { BlobStore } from "./blob-store.ts";

/** Room for the links of 2,000 package files. */
const maxLinksBytes = 8_388_608;

/** The links that a result names, by file, as they were signed; none when its operator has not uploaded them, or not as text. */
export async function loadLinks(blobs: Pick<BlobStore, "load">, { byproducts }: Result): Promise<ReadonlyMap<string, string>> {
  const named = byproducts.find(({ kind }) => kind === "in-toto-links");
  if (named === undefined) return new Map();
  try {
    return parseLinks(textOf(await blobs.load(named.sha256, maxLinksBytes)));
  } catch {
    // Whatever is wrong with them: the result stands without links.
    return new Map();
  }
}

/** The files whose link is signed by the operator's link key, and says what its result says. */
export function linkedFiles(result: Result, links: ReadonlyMap<string, string>, { linkKey }: OperatorKeys): ReadonlySet<string> {
  if (result.outcome === "failed" || linkKey === undefined) return new Set();
  const publicKey = parseBase64("link key", linkKey);
  const linked = result.artifacts.filter(({ name, sha256 }) => linkedDigest(links.get(name), publicKey) === sha256);
  return new Set(linked.map(({ name }) => name));
}

function linkedDigest(link: string | undefined, publicKey: Uint8Array): string | undefined {
  if (link === undefined) return undefined;
  try {
    return verifyLink(link, publicKey, verifyNoteSignature).product.sha256;
  } catch (error) {
    if (error instanceof ParseError || error instanceof VerificationError) return undefined;
    throw error;
  }
}
