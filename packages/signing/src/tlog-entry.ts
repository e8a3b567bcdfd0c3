import { type HashedRekord, formatHashedRekord } from "@quorate/attestation/hashed-rekord";
import { formatBase64 } from "@quorate/tlog/base64";
import type { Checkpoint } from "@quorate/tlog/checkpoint";
import { type Hash, formatHash } from "@quorate/tlog/hash";
import { type NoteKey, formatNote, parseNote } from "@quorate/tlog/note";
import { utf8 } from "@quorate/protocol/utf8";
import { sha256Of } from "@quorate/protocol/digest";
import { jsonOfTrustedRoot } from "./keyless-verifier.ts";
import { ed25519SpkiOf } from "./note-key.ts";

/** Where a log has the record of a signature: its index, and its inclusion proof under a published checkpoint. */
export type LoggedRecord = {
  record: HashedRekord;
  index: number;
  proof: readonly Hash[];
  checkpoint: Checkpoint;
  /** The checkpoint's note, with all its signatures. */
  note: string;
  logKey: NoteKey;
};

export type TlogEntry = ReturnType<typeof formatTlogEntry>;

/** A TransparencyLogEntry of Sigstore's bundle format, for an entry of a log of tiles (Rekor v2): no time, and an inclusion proof. */
export function formatTlogEntry({ record, index, proof, checkpoint, note, logKey }: LoggedRecord) {
  return {
    logIndex: String(index),
    logId: { keyId: logIdOf(logKey) },
    kindVersion: { kind: "hashedrekord", version: "0.0.2" },
    integratedTime: "0",
    inclusionProof: {
      logIndex: String(index),
      rootHash: formatBase64(checkpoint.root),
      treeSize: String(checkpoint.size),
      hashes: proof.map(formatHash),
      checkpoint: { envelope: signedByLog(note, logKey) },
    },
    canonicalizedBody: formatBase64(formatHashedRekord(record)),
  };
}

/**
 * Sigstore's trusted_root.json, in which this log is the one transparency log: `cosign --trusted-root` takes it.
 *
 *     {"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1","tlogs":[{"baseUrl":"https://log.example",…}],…}
 *
 * @param authorities a trusted root whose certificate and timestamp authorities are believed too, for the bundles of keyless operators
 * @throws ParseError when that is none
 */
export function formatTrustedRoot(logKey: NoteKey, authorities?: string): string {
  const publicKey = {
    rawBytes: formatBase64(ed25519SpkiOf(logKey.publicKey)),
    keyDetails: "PKIX_ED25519",
    validFor: { start: "1970-01-01T00:00:00Z" },
  };
  const log = { baseUrl: `https://${logKey.name}`, hashAlgorithm: "SHA2_256", publicKey, logId: { keyId: logIdOf(logKey) } };
  const mediaType = "application/vnd.dev.sigstore.trustedroot+json;version=0.1";
  const nobody = { certificateAuthorities: [], ctlogs: [], timestampAuthorities: [] };
  const { certificateAuthorities, ctlogs, timestampAuthorities } =
    authorities === undefined ? nobody : { ...nobody, ...jsonOfTrustedRoot(authorities) };
  return `${JSON.stringify({ mediaType, tlogs: [log], certificateAuthorities, ctlogs, timestampAuthorities }, null, 2)}\n`;
}

/** The whole digest of which a note's key ID is the beginning (C2SP signed-note, "Signatures"), base64. */
function logIdOf({ name, publicKey }: NoteKey): string {
  return formatBase64(Buffer.from(sha256Of(new Uint8Array([...utf8(`${name}\n`), 0x01, ...publicKey])), "hex"));
}

/** The note with the log's signature alone: Sigstore's readers know no witnesses. */
function signedByLog(note: string, { name, keyId }: NoteKey): string {
  const { text, signatures } = parseNote(note);
  return formatNote(
    text,
    signatures.filter((signature) => signature.name === name && signature.keyId === keyId),
  );
}
