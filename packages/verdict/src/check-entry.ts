import { formatHashedRekord, hashedRekordOf, isHashedRekord } from "@quorate/attestation/hashed-rekord";
import { type Entry, type LogStatement, parseEntry, subjectDigestIn } from "@quorate/attestation/log-statement";
import type { VerifySignature } from "@quorate/attestation/p256";
import { verifyEnvelope } from "@quorate/attestation/dsse";
import type { Sha256 } from "@quorate/protocol/digest";
import { ParseError } from "@quorate/protocol/parse-error";
import { formatBase64 } from "@quorate/tlog/base64";
import type { Hash } from "@quorate/tlog/hash";
import type { Hasher } from "@quorate/tlog/merkle";
import { VerificationError } from "@quorate/tlog/verification-error";
import { type EntryKeys, soleSigner } from "./entry-signers.ts";

/**
 * What can be found out about an entry without those before it: plain values, which another thread can find out and hand over. Whatever is
 * wrong with it is said in its turn.
 */
export type CheckedEntry =
  | CheckedStatement
  /** The record of a result's signature, by the digest of its bytes: they are compared with those of the records that may follow. */
  | { readonly kind: "record"; readonly leaf: Hash; readonly digest: Sha256 }
  | { readonly kind: "refused"; readonly leaf: Hash; readonly reason: string };

export type CheckedStatement = {
  readonly kind: "statement";
  readonly leaf: Hash;
  /** SHA-256 of the entry's bytes. */
  readonly digest: Sha256;
  /** Of a result's byproducts only those that verdicts and hosts look at: the others are most of what it says. */
  readonly statement: LogStatement;
  readonly identity?: Sha256;
  readonly signed?: Signed;
};

/** Proof that one signature, the only one, is by this key (SubjectPublicKeyInfo in base64); whether it must be this key is not yet known. */
type Signed = {
  readonly key: string;
  /** Of a result: the digest of the record of its signature. */
  readonly record?: Sha256;
};

/** Finds out what `keys`, as far as they are known yet, allow to. */
export function checkEntry(bytes: Uint8Array, keys: EntryKeys, tools: { hasher: Hasher; verify: VerifySignature }): CheckedEntry {
  const { hasher, verify } = tools;
  const leaf = hasher.leaf(bytes);
  if (isHashedRekord(bytes)) return { kind: "record", leaf, digest: hasher.digest(bytes) };
  try {
    const entry = parseEntry(bytes, hasher);
    const { digest, statement } = entry;
    const identity = identityOf(entry);
    const said = { kind: "statement" as const, leaf, digest, statement: withoutIdleByproducts(statement), ...(identity && { identity }) };
    const key = soleSigner(statement, keys);
    if (key === undefined || !isSignedBy(entry, key, verify)) return said;
    const record = recordDigestOf(entry, key, hasher);
    return { ...said, signed: { key: spellingOf(key), ...(record && { record }) } };
  } catch (error) {
    if (error instanceof ParseError) return { kind: "refused", leaf, reason: error.message };
    throw error;
  }
}

/** Whether the signature was found to be by this key: whoever checked the entry before its turn may have known another one. */
export function isCheckedWith({ signed }: CheckedStatement, key: Uint8Array | undefined): boolean {
  return signed !== undefined && key !== undefined && signed.key === spellingOf(key);
}

function withoutIdleByproducts(statement: LogStatement): LogStatement {
  if (statement.kind !== "result") return statement;
  const byproducts = statement.result.byproducts.filter(({ kind }) => kind === "build-trace" || kind === "manifest");
  return { kind: "result", result: { ...statement.result, byproducts } };
}

/** The digest by which rounds know a policy or a target: its statement names it. */
export function identityOf({ statement: { kind }, envelope: { payload } }: Entry): Sha256 | undefined {
  return kind === "policy" || kind === "target" ? subjectDigestIn(payload, kind) : undefined;
}

/** The digest of the record of a result's signature, which is by `key`. */
export function recordDigestOf({ statement, envelope }: Entry, key: Uint8Array, hasher: Hasher): Sha256 | undefined {
  return statement.kind === "result" ? hasher.digest(formatHashedRekord(hashedRekordOf(envelope, key, hasher))) : undefined;
}

const spellings = new WeakMap<Uint8Array, string>();

/** The key in base64: of few keys, and for every entry. */
function spellingOf(key: Uint8Array): string {
  const spelled = spellings.get(key) ?? formatBase64(key);
  spellings.set(key, spelled);
  return spelled;
}

function isSignedBy({ envelope }: Entry, key: Uint8Array, verify: VerifySignature): boolean {
  try {
    verifyEnvelope(envelope, [key], verify);
    return true;
  } catch (error) {
    if (error instanceof VerificationError) return false;
    throw error;
  }
}
