import { type Envelope, formatEnvelope, pae, parseEnvelope } from "@quorate/attestation/dsse";
import { type LogStatement, formatStatement } from "@quorate/attestation/log-statement";
import { maxEntryBytes } from "@quorate/protocol/entry";
import type { P256Signer } from "./p256-key.ts";

type Signer = Pick<P256Signer, "sign">;

/**
 * The log entry that says `statement`, signed by each signer in the order that the kind of entry demands (an enrolment: the operator, then
 * the network).
 *
 * @throws RangeError when the entry would be larger than the log takes
 */
export function signStatement(statement: LogStatement, signers: readonly Signer[]): Uint8Array {
  const payload = formatStatement(statement);
  const message = pae(payload);
  return formatEntry({ payload, signatures: signers.map((signer) => signer.sign(message)) }, statement.kind);
}

/** The same entry with one more signature after those that it has. @throws ParseError for what is no envelope, RangeError when too large */
export function countersign(entry: Uint8Array, signer: Signer): Uint8Array {
  const { payload, signatures } = parseEnvelope(entry);
  return formatEntry({ payload, signatures: [...signatures, signer.sign(pae(payload))] }, "countersigned");
}

function formatEntry(envelope: Envelope, what: string): Uint8Array {
  const entry = formatEnvelope(envelope);
  if (entry.length > maxEntryBytes) {
    throw new RangeError(
      `signing a ${what} entry: it has ${entry.length} bytes and the log takes ${maxEntryBytes}; a target of fewer artifacts fits`,
    );
  }
  return entry;
}
