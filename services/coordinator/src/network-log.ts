import { type LogStatement, parseEntry } from "@quorate/attestation/log-statement";
import type { LogReader } from "@quorate/client/log-reader";
import type { LogWriter } from "@quorate/client/log-writer";
import { parseSha256 } from "@quorate/protocol/digest";
import type { TreeHead } from "@quorate/protocol/round";
import { signStatement } from "@quorate/signing/envelope";
import type { P256Signer } from "@quorate/signing/p256-key";
import { verifyEd25519 } from "@quorate/signing/note-key";
import { leafHash } from "@quorate/tlog/merkle";
import { verifyCosignedCheckpoint, type WitnessPolicy } from "@quorate/tlog/tlog-policy";
import type { LoggedEntry } from "./store/entries.ts";

export type Append = Omit<LoggedEntry, "index" | "digest"> & { wait: "sequenced" | "published" };

export type Appended<Statement extends LogStatement = LogStatement> = {
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
  /** Logs a statement signed by the network. */
  appendSigned<Statement extends LogStatement>(
    statement: Statement,
    request: Omit<Append, "kind" | "envelope">,
  ): Promise<Appended<Statement>>;
};

type Dependencies = { writer: LogWriter; reader: LogReader; witnessPolicy: WitnessPolicy; networkKey: Pick<P256Signer, "sign"> };

export function createNetworkLog({ writer, reader, witnessPolicy, networkKey }: Dependencies): NetworkLog {
  const append: NetworkLog["append"] = async ({ wait, ...request }) => {
    const { key, envelope } = request;
    const answer = await writer.append({ key, bytes: envelope, wait });
    const isOurs = answer.leafHash === Buffer.from(leafHash(envelope)).toString("hex");
    const logged = isOurs ? envelope : await readEarlier(request, answer.index);
    const { digest, statement } = parseEntry(logged);
    const published = answer.published === undefined ? undefined : treeHeadOf(answer.published);
    return { entry: { ...request, envelope: logged, index: answer.index, digest }, statement, published };
  };

  /** A coordinator that stopped between the log's answer and its own commit logs a differently signed entry with the same key again. */
  const readEarlier = async ({ key, envelope }: { key: string; envelope: Uint8Array }, index: number): Promise<Uint8Array> => {
    await writer.append({ key, bytes: envelope, wait: "published" });
    return reader.entry(index, (await reader.checkpoint()).checkpoint.size);
  };

  const treeHeadOf = (note: string): TreeHead => {
    const { checkpoint } = verifyCosignedCheckpoint(note, witnessPolicy, verifyEd25519);
    return { size: checkpoint.size, rootSha256: parseSha256(Buffer.from(checkpoint.root).toString("hex")) };
  };

  return {
    append,
    async appendSigned(statement, request) {
      const appended = await append({ ...request, kind: statement.kind, envelope: signStatement(statement, [networkKey]) });
      if (!isSameKind(appended, statement)) {
        throw new Error(`appending ${request.key} to the log: the log holds a ${appended.statement.kind} entry with this key`);
      }
      return appended;
    },
  };
}

function isSameKind<Statement extends LogStatement>(appended: Appended, wanted: Statement): appended is Appended<Statement> {
  return appended.statement.kind === wanted.kind;
}
