import { type Envelope, formatEnvelope, pae, parseEnvelope } from "@quorate/attestation/dsse";
import { type LogStatement, formatStatement } from "@quorate/attestation/log-statement";
import { formatWorkerStatement } from "@quorate/attestation/worker-statement";
import { maxEnvelopeBytes } from "@quorate/protocol/entry";
import type { WorkerStatement } from "@quorate/protocol/worker";
import type { OperatorSigner } from "./operator-signer.ts";
import type { P256Signer } from "./p256-key.ts";

type Signer = Pick<P256Signer, "sign">;

/**
 * The envelope that says `statement`, signed by each signer in the order that the kind of entry demands (an enrolment: the operator, then
 * the network).
 *
 * @throws RangeError when it would be larger than a reader takes
 */
export function signStatement(statement: LogStatement, signers: readonly Signer[]): Uint8Array {
  const payload = formatStatement(statement);
  const message = pae(payload);
  return formatSigned({ payload, signatures: signers.map((signer) => signer.sign(message)) }, statement.kind);
}

/** The envelope of what an operator says of one of its workers. */
export async function signWorkerStatement(statement: WorkerStatement, signer: Pick<OperatorSigner, "sign">): Promise<Uint8Array> {
  const payload = formatWorkerStatement(statement);
  return formatEnvelope({ payload, signatures: [await signer.sign(pae(payload))] });
}

/** As `signStatement`, by operators, who may have to ask others before they can sign. */
export async function signOperatorStatement(
  statement: LogStatement,
  signers: readonly Pick<OperatorSigner, "sign">[],
): Promise<Uint8Array> {
  const payload = formatStatement(statement);
  const message = pae(payload);
  const signatures = await Promise.all(signers.map(async (signer) => signer.sign(message)));
  return formatSigned({ payload, signatures }, statement.kind);
}

/** The same envelope with one more signature after those that it has. @throws ParseError for what is no envelope, RangeError when too large */
export function countersign(envelope: Uint8Array, signer: Signer): Uint8Array {
  const { payload, signatures } = parseEnvelope(envelope);
  return formatSigned({ payload, signatures: [...signatures, signer.sign(pae(payload))] }, "countersigned");
}

function formatSigned(envelope: Envelope, what: string): Uint8Array {
  const bytes = formatEnvelope(envelope);
  if (bytes.length > maxEnvelopeBytes) {
    throw new RangeError(
      `signing a ${what} envelope: it has ${bytes.length} bytes and readers take ${maxEnvelopeBytes}; a target of fewer artifacts fits`,
    );
  }
  return bytes;
}
