import { formatCanonicalJson } from "@quorate/protocol/canonical-json";
import { type Sha256, sha256Of, sha256Schema } from "@quorate/protocol/digest";
import { fileNameSchema } from "@quorate/protocol/names";
import { ParseError } from "@quorate/protocol/parse-error";
import { utf8 } from "@quorate/protocol/utf8";
import { formatBase64 } from "@quorate/tlog/base64";
import type { Ed25519Verify } from "@quorate/tlog/ed25519";
import { VerificationError } from "@quorate/tlog/verification-error";
import { hex } from "@scure/base";
import { z } from "zod";
import { parseJson } from "./json-text.ts";
import { parseNoun } from "./parse-noun.ts";

/** The largest link that is read, in characters: one product, one material. */
export const maxLinkCharacters = 4000;

const digestsSchema = z.strictObject({ sha256: sha256Schema, sha512: z.string().regex(/^[0-9a-f]{128}$/) });
const filesSchema = z.record(fileNameSchema, digestsSchema);

/** A file by name, SHA-256 and SHA-512: links name both. */
export type LinkedFile = z.infer<typeof digestsSchema> & { readonly name: string };

/** That a rebuild with this buildinfo file gave this package file. */
export type InTotoLink = { readonly product: LinkedFile; readonly buildinfo?: LinkedFile | undefined };

const linkSchema = z.strictObject({
  signatures: z.tuple([z.strictObject({ keyid: sha256Schema, sig: z.string().regex(/^[0-9a-f]{128}$/) })]),
  signed: z.strictObject({
    _type: z.literal("link"),
    name: z.string(),
    materials: filesSchema,
    products: filesSchema,
    environment: z.null(),
    byproducts: z.strictObject({}),
    command: z.tuple([]),
  }),
});

/**
 * What a link's signature signs: canonical JSON (keys sorted, no white space), in which file names hold nothing that needs escaping.
 *
 *     {"_type":"link","byproducts":{},"command":[],"environment":null,"materials":{"mailgraph_1.14-20_all.buildinfo":{"sha256":"…","sha512":"…"}},
 *      "name":"rebuild mailgraph_1.14-20_all.deb","products":{"mailgraph_1.14-20_all.deb":{"sha256":"…","sha512":"…"}}}
 */
export function signedPartOf(link: InTotoLink): Uint8Array {
  return utf8(formatCanonicalJson(signedOf(link)));
}

/**
 * A legacy in-toto link (in-toto specification v0.9, section 4.4) with its one Ed25519 signature, as rebuilderd gives it out and its clients
 * verify it.
 *
 *     {"signatures":[{"keyid":"1ae6d3…","sig":"b76f0c…"}],"signed":{"_type":"link",…}}
 */
export function formatLink(link: InTotoLink, { keyId, signature }: { keyId: Sha256; signature: Uint8Array }): string {
  return formatCanonicalJson({ signatures: [{ keyid: keyId, sig: hex.encode(signature) }], signed: signedOf(link) });
}

/**
 * Verifies a link of `formatLink` with the key that must have signed it.
 *
 * @param publicKey Ed25519, 32 bytes
 * @throws ParseError for anything else, also for other spellings of the same link
 * @throws VerificationError when the signature is not by this key
 */
export function verifyLink(text: string, publicKey: Uint8Array, verify: Ed25519Verify): InTotoLink {
  const { link, keyId, signature } = parseLink(text);
  if (keyId !== linkKeyIdOf(publicKey)) throw new VerificationError(`verifying an in-toto link: it names another key (${keyId})`);
  if (!verify(publicKey, signedPartOf(link), signature)) {
    throw new VerificationError("verifying an in-toto link: its signature is not by the key that must have made it");
  }
  return link;
}

/**
 * The inverse of `formatLink`; the signature is not verified.
 *
 * @throws ParseError
 */
export function parseLink(text: string): { link: InTotoLink; keyId: Sha256; signature: Uint8Array } {
  if (text.length > maxLinkCharacters) throw new ParseError(`in-toto link of at most ${maxLinkCharacters} characters`, text);
  const { signatures, signed } = parseNoun(linkSchema, "in-toto link", parseJson("in-toto link", text));
  const [product, ...products] = filesOf(signed.products);
  const [buildinfo, ...materials] = filesOf(signed.materials);
  if (product === undefined || products.length + materials.length > 0) throw new ParseError("in-toto link of one package file", text);
  const link = { product, ...(buildinfo && { buildinfo }) };
  const [{ keyid: keyId, sig }] = signatures;
  const signature = hex.decode(sig);
  if (formatLink(link, { keyId, signature }) !== text) throw new ParseError("in-toto link in canonical JSON", text);
  return { link, keyId, signature };
}

/** All links of a result, as its byproduct `in-toto-links`: one a line. */
export function formatLinks(links: readonly string[]): string {
  return links.map((link) => `${link}\n`).join("");
}

/** Each line of `formatLinks`, exactly as it was signed, by the file that it is about. Lines that are no links are passed over. */
export function parseLinks(links: string): ReadonlyMap<string, string> {
  const lines = links.split("\n").filter((line) => line !== "");
  return new Map(lines.flatMap((line) => nameOf(line).map((name) => [name, line] as const)));
}

function nameOf(line: string): string[] {
  try {
    return [parseLink(line).link.product.name];
  } catch (error) {
    if (error instanceof ParseError) return [];
    throw error;
  }
}

/** A key's id in links: SHA-256 of the canonical JSON that securesystemslib gives the key. */
export function linkKeyIdOf(publicKey: Uint8Array): Sha256 {
  const key = {
    keyid_hash_algorithms: ["sha256", "sha512"],
    keytype: "ed25519",
    keyval: { public: hex.encode(publicKey) },
    scheme: "ed25519",
  };
  return sha256Of(utf8(formatCanonicalJson(key)));
}

/** SubjectPublicKeyInfo of an Ed25519 key with NULL parameters. RFC 8410 §3 leaves them out, and then in-toto's clients read no key. */
const spkiPrefix = hex.decode("302c300706032b65700500032100");

/**
 * A link key as in-toto's clients read it:
 *
 *     -----BEGIN PUBLIC KEY-----
 *     MCwwBwYDK2VwBQADIQA…
 *     -----END PUBLIC KEY-----
 */
export function formatLinkKeyPem(publicKey: Uint8Array): string {
  const spki = new Uint8Array([...spkiPrefix, ...publicKey]);
  return `-----BEGIN PUBLIC KEY-----\n${formatBase64(spki)}\n-----END PUBLIC KEY-----\n`;
}

function signedOf({ product, buildinfo }: InTotoLink) {
  return {
    _type: "link",
    name: `rebuild ${product.name}`,
    materials: buildinfo === undefined ? {} : byName(buildinfo),
    products: byName(product),
    environment: null,
    byproducts: {},
    command: [],
  };
}

function byName({ name, sha256, sha512 }: LinkedFile) {
  return { [name]: { sha256, sha512 } };
}

function filesOf(files: z.infer<typeof filesSchema>): LinkedFile[] {
  return Object.entries(files).map(([name, digests]) => ({ name, ...digests }));
}
