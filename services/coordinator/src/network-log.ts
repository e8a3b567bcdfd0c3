import { type HashedRekord, formatHashedRekord } from "@quorate/attestation/hashed-rekord";
import type { PlainStatement } from "@quorate/attestation/log-statement";
import type { LogReader } from "@quorate/client/log-reader";
import type { LogWriter } from "@quorate/client/log-writer";
import type { TreeHead } from "@quorate/protocol/round";
import { signStatement } from "@quorate/signing/envelope";
import type { P256Signer } from "@quorate/signing/p256-key";
import { verifyNoteSignature } from "@quorate/signing/note-key";
import { sha256FromHash } from "@quorate/tlog/hash";
import { leafHash } from "@quorate/tlog/merkle";
import { verifyCosignedCheckpoint, type WitnessPolicy } from "@quorate/tlog/tlog-policy";
import type { BlobStore } from "./blob-store.ts";
import { entryFor, loadEntry } from "./large-envelope.ts";
import type { LoggedEntry } from "./store/entries.ts";

export type Append = Omit<LoggedEntry, "index" | "digest"> & { wait: "sequenced" | "published" };

export type Appended<Statement extends PlainStatement = PlainStatement> = {
  /** As the log has it: when an entry with this key was there before, that one. */
  entry: LoggedEntry;
  statement: Statement;
  /** The published checkpoint that covers the entry, when that was waited for. */
  published?: TreeHead | undefined;
};

/** The log as the coordinator writes it: an append may be repeated, and whoever repeats it gets what was logged the first time. */
export type NetworkLog = {
  /** Logs an envelope exactly as it is. */
  append(request: Append): Promise<Appended>;
  /** Logs the record of a result's signature; its index. */
  record(request: { key: string; record: HashedRekord }): Promise<number>;
  /** Logs a statement signed by the network. */
  appendSigned<Statement extends PlainStatement>(
    statement: Statement,
    request: Omit<Append, "kind" | "envelope">,
  ): Promise<Appended<Statement>>;
};

type Dependencies = {
  writer: LogWriter;
  reader: LogReader;
  blobs: Pick<BlobStore, "load" | "write">;
  witnessPolicy: WitnessPolicy;
  networkKey: Pick<P256Signer, "sign">;
};

export function createNetworkLog({ writer, reader, blobs, witnessPolicy, networkKey }: Dependencies): NetworkLog {
  const append: NetworkLog["append"] = async ({ wait, ...request }) => {
    const { key } = request;
    const bytes = await entryFor(request.envelope, { blobs, networkKey });
    const answer = await writer.append({ key, bytes, wait });
    const isOurs = answer.leafHash === sha256FromHash(leafHash(bytes));
    const logged = isOurs ? bytes : await readEarlier({ key, bytes }, answer.index);
    const { digest, statement } = await loadEntry(logged, blobs);
    const published = answer.published === undefined ? undefined : treeHeadOf(answer.published);
    return { entry: { ...request, envelope: logged, index: answer.index, digest }, statement, published };
  };

  /** A coordinator that stopped between the log's answer and its own commit logs a differently signed entry with the same key again. */
  const readEarlier = async (entry: { key: string; bytes: Uint8Array }, index: number): Promise<Uint8Array> => {
    await writer.append({ ...entry, wait: "published" });
    return reader.entry(index, (await reader.checkpoint()).checkpoint.size);
  };

  const treeHeadOf = (note: string): TreeHead => {
    const { checkpoint } = verifyCosignedCheckpoint(note, witnessPolicy, verifyNoteSignature);
    return { size: checkpoint.size, rootSha256: sha256FromHash(checkpoint.root) };
  };

  return {
    append,
    async record({ key, record }) {
      const bytes = formatHashedRekord(record);
      const { index, leafHash: logged } = await writer.append({ key, bytes, wait: "sequenced" });
      if (logged === sha256FromHash(leafHash(bytes))) return index;
      throw new Error(`appending ${key} to the log: the log holds another record with this key`);
    },
    async appendSigned(statement, request) {
      const appended = await append({ ...request, kind: statement.kind, envelope: signStatement(statement, [networkKey]) });
      if (!isSameKind(appended, statement)) {
        throw new Error(`appending ${request.key} to the log: the log holds a ${appended.statement.kind} entry with this key`);
      }
      return appended;
    },
  };
}

function isSameKind<Statement extends PlainStatement>(appended: Appended, wanted: Statement): appended is Appended<Statement> {
  return appended.statement.kind === wanted.kind;
}
