import { type Entry, type PlainStatement, openLargeEnvelope, parseEntry } from "@quorate/attestation/log-statement";
import { sha256Of } from "@quorate/protocol/digest";
import { maxEntryBytes, maxEnvelopeBytes } from "@quorate/protocol/entry";
import { signStatement } from "@quorate/signing/envelope";
import type { P256Signer } from "@quorate/signing/p256-key";
import type { BlobStore } from "./blob-store.ts";

/** The entry that logs an envelope: the envelope itself or, if that is too large, its name; then it is kept as a blob before. */
export async function entryFor(
  envelope: Uint8Array,
  { blobs, networkKey }: { blobs: Pick<BlobStore, "write">; networkKey: Pick<P256Signer, "sign"> },
): Promise<Uint8Array> {
  if (envelope.length <= maxEntryBytes) return envelope;
  const large = { envelope: sha256Of(envelope), sizeBytes: envelope.length };
  await blobs.write({ sha256: large.envelope, maxBytes: maxEnvelopeBytes }, only(envelope));
  return signStatement({ kind: "large-envelope", large }, [networkKey]);
}

/** The large envelope that an entry names, if it does. */
export async function loadLargeEnvelope({ statement }: Entry, blobs: Pick<BlobStore, "load">): Promise<Uint8Array | undefined> {
  return statement.kind === "large-envelope" ? blobs.load(statement.large.envelope, statement.large.sizeBytes) : undefined;
}

/** What an entry of the log says, or the large envelope that it names. */
export async function loadEntry(bytes: Uint8Array, blobs: Pick<BlobStore, "load">): Promise<Entry<PlainStatement>> {
  const entry = parseEntry(bytes);
  const { statement } = entry;
  if (statement.kind !== "large-envelope") return { ...entry, statement };
  return openLargeEnvelope(statement.large, await blobs.load(statement.large.envelope, statement.large.sizeBytes));
}

async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
