import { readFile } from "node:fs/promises";
import { parseRelease, type Release } from "@quorate/debian/release";
import * as openpgp from "openpgp";
import { ArchiveError } from "./archive-error.ts";
import { maxFutureSeconds } from "./freshness.ts";

export type VerifiedInRelease = {
  readonly release: Release;
  /** Fingerprints, upper-case hexadecimal, of the primary keys that made a good signature; never empty. */
  readonly signedBy: readonly string[];
};

const begin = "-----BEGIN PGP SIGNED MESSAGE-----";
const end = "-----END PGP SIGNATURE-----";

/**
 * A suite's InRelease file: a Release file in the cleartext signature framework (RFC 9580 §7). At least one signature must be good and
 * made by a key of the keyrings, as apt asks; what is parsed is the signed text itself, and nothing may stand around it.
 *
 * @throws ArchiveError "malformed" when it is not one cleartext-signed message, "not-signed" when no key of the keyrings signed it
 */
export async function verifyInRelease(bytes: Uint8Array, keyrings: readonly string[], now: Date): Promise<VerifiedInRelease> {
  const text = await signedTextOf(bytes, keyrings, now);
  try {
    return { release: parseRelease(text.data), signedBy: text.signedBy };
  } catch (cause) {
    throw new ArchiveError("malformed", `reading a signed InRelease: ${messageOf(cause)}`, { cause });
  }
}

async function signedTextOf(bytes: Uint8Array, keyrings: readonly string[], now: Date): Promise<{ data: string; signedBy: string[] }> {
  const message = await readMessage(bytes);
  const verificationKeys = (await Promise.all(keyrings.map(loadKeyring))).flat();
  const date = new Date(now.getTime() + maxFutureSeconds * 1000);
  const { data, signatures } = await openpgp.verify({ message, verificationKeys, date });
  const signedBy: string[] = [];
  const problems: string[] = [];
  for (const { keyID, verified } of signatures) {
    try {
      await verified;
      const key = verificationKeys.find((candidate) => candidate.getKeys(keyID).length > 0);
      if (key !== undefined) signedBy.push(key.getFingerprint().toUpperCase());
    } catch (error) {
      problems.push(`${keyID.toHex().toUpperCase()}: ${messageOf(error)}`);
    }
  }
  if (signedBy.length > 0) return { data, signedBy: [...new Set(signedBy)] };
  const seen = problems.length === 0 ? "it carries no signature" : problems.join("; ");
  throw new ArchiveError("not-signed", `verifying an InRelease with ${keyrings.join(", ")}: no good signature by a known key (${seen})`);
}

async function readMessage(bytes: Uint8Array): Promise<openpgp.CleartextMessage> {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ArchiveError("malformed", "reading an InRelease: it is not UTF-8 text", { cause });
  }
  // Text before or after the signed message is what clearsigned-file tricks live on.
  const framed = text.startsWith(`${begin}\n`) && text.trimEnd().endsWith(end);
  if (!framed || text.indexOf(begin, 1) !== -1 || text.indexOf(end) !== text.lastIndexOf(end)) {
    throw new ArchiveError("not-signed", "reading an InRelease: it is not exactly one cleartext-signed message");
  }
  try {
    return await openpgp.readCleartextMessage({ cleartextMessage: text });
  } catch (cause) {
    throw new ArchiveError("malformed", `reading an InRelease: ${messageOf(cause)}`, { cause });
  }
}

/** @throws ArchiveError when the file cannot be read or holds no keys */
async function loadKeyring(path: string): Promise<openpgp.Key[]> {
  try {
    const bytes = await readFile(path);
    const armoured = bytes.subarray(0, 15).toString("latin1") === "-----BEGIN PGP ";
    return await (armoured ? openpgp.readKeys({ armoredKeys: bytes.toString("latin1") }) : openpgp.readKeys({ binaryKeys: bytes }));
  } catch (cause) {
    throw new ArchiveError("not-signed", `reading the keyring ${path}: ${messageOf(cause)}; name a file of OpenPGP keys`, { cause });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
