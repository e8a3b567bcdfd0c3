import { createPublicKey } from "node:crypto";
import { type Envelope, inTotoPayloadType } from "@quorate/attestation/dsse";
import { parseCertifiedSignature } from "@quorate/attestation/certified-signature";
import { isKeyless, parseKeylessIdentity } from "@quorate/attestation/identity";
import { type LogStatement, parseStatement } from "@quorate/attestation/log-statement";
import { parseP256Spki } from "@quorate/attestation/p256";
import { formatCanonicalJson } from "@quorate/protocol/canonical-json";
import { maxEnvelopeBytes } from "@quorate/protocol/entry";
import { ParseError } from "@quorate/protocol/parse-error";
import { boundedText } from "@quorate/tlog/bounded-text";
import { formatBase64 } from "@quorate/tlog/base64";
import { parseCheckpoint } from "@quorate/tlog/checkpoint";
import { parseNote } from "@quorate/tlog/note";
import { sha256Of } from "@quorate/protocol/digest";
import { VerificationError } from "@quorate/tlog/verification-error";
import { type Bundle, bundleFromJSON, bundleToJSON, toDSSEBundle } from "@sigstore/bundle";
import { Verifier, toSignedEntity, toTrustMaterial } from "@sigstore/verify";
import { checkIdentity, parseTrustedRoot } from "./keyless-verifier.ts";
import type { TlogEntry } from "./tlog-entry.ts";

type TransparencyLogEntry = Bundle["verificationMaterial"]["tlogEntries"][number];

export const bundleMediaType = "application/vnd.dev.sigstore.bundle.v0.3+json";

/** An envelope, and the log entry beside it. */
const maxBundleBytes = maxEnvelopeBytes + 100_000;

/**
 * A signed statement as a Sigstore bundle v0.3, which cosign verifies by the operator's public key:
 *
 *     cosign verify-blob-attestation --key operator.pub --bundle mailgraph.sigstore.json --type slsaprovenance1 \
 *       --insecure-ignore-tlog=true mailgraph_1.14-20_all.deb
 *
 * The key's hint is the SHA-256 of its SubjectPublicKeyInfo in base64, as Sigstore's own signers write it. The bundle of a keyless identity has
 * its certificate and timestamp instead: cosign verifies it with --certificate-identity and --certificate-oidc-issuer.
 *
 * @param logged where the log has the record of the signature (`formatTlogEntry`): then readers need no insecure flag
 * @throws RangeError unless the envelope has exactly one signature, since a bundle's readers look at the first only
 */
export function formatBundle({ payload, signatures }: Envelope, identity: Uint8Array, logged?: TlogEntry): string {
  const [signature, ...more] = signatures;
  if (signature === undefined || more.length > 0)
    throw new RangeError(`making a bundle: the envelope has ${signatures.length} signatures, not one`);
  const bundle = dsseBundleOf(payload, signature, identity);
  const serialized = bundleToJSON(bundle);
  // cosign refuses a key id beside a public key.
  const withoutKeyId = serialized.dsseEnvelope?.signatures.map(({ sig }) => ({ sig }));
  const verificationMaterial = { ...serialized.verificationMaterial, ...(logged && { tlogEntries: [logged] }) };
  return formatCanonicalJson({
    ...serialized,
    verificationMaterial,
    dsseEnvelope: { ...serialized.dsseEnvelope, signatures: withoutKeyId },
  });
}

/**
 * Verifies a bundle of `formatBundle`, by Sigstore's own verifier, with the identity that must have made it; given a trusted root, also
 * that its log has the record of the signature, and that nothing in the log entry contradicts that. A keyless identity needs one.
 *
 * @throws ParseError for what is no bundle around a statement, or no trusted root
 * @throws VerificationError when the signature is not by this identity
 */
export function verifyBundle(body: Uint8Array | string, identity: Uint8Array, trustedRoot?: string): LogStatement {
  const bundle = parseBundle(boundedText("Sigstore bundle", body, maxBundleBytes));
  if (bundle.content.$case !== "dsseEnvelope") throw new ParseError("Sigstore bundle of a DSSE envelope", bundle.content.$case);
  const verifier = verifierOf(identity, trustedRoot);
  try {
    const signer = verifier.verify(toSignedEntity(bundle));
    if (isKeyless(identity)) checkIdentity(signer, parseKeylessIdentity(identity));
    if (trustedRoot !== undefined) bundle.verificationMaterial.tlogEntries.forEach(refuseContradiction);
  } catch (cause) {
    if (cause instanceof VerificationError) throw cause;
    const log = trustedRoot === undefined ? "" : ", or no log of the trusted root has it";
    throw new VerificationError(`verifying a Sigstore bundle: its signature is not by the identity that must have made it${log}`, {
      cause,
    });
  }
  return parseStatement(Uint8Array.from(bundle.content.dsseEnvelope.payload));
}

/** Sigstore's verifier takes the tree from the checkpoint: what an entry says of it once more, and of a time that nothing signs, is not looked at. */
function refuseContradiction({ logIndex, integratedTime, inclusionProof: proof }: TransparencyLogEntry): void {
  const { size, root } = parseCheckpoint(parseNote(proof?.checkpoint?.envelope ?? "").text);
  const contradictions = [
    logIndex !== proof?.logIndex && `its log entry ${logIndex} has the proof of entry ${proof?.logIndex}`,
    proof?.treeSize !== String(size) && `its proof is for ${proof?.treeSize} entries, and its checkpoint of ${size}`,
    proof?.rootHash.equals(root) !== true && "its proof is for another tree than its checkpoint",
    integratedTime !== "0" && "its log entry has a time, which no part of its proof signs",
  ];
  const found = contradictions.find((contradiction) => contradiction !== false);
  if (found !== undefined) throw new VerificationError(`verifying a Sigstore bundle: ${found}; somebody altered it: get it again`);
}

/** The envelope in a bundle. Nothing in it is verified. @throws ParseError */
export function envelopeInBundle(text: string): Envelope {
  const { content } = parseBundle(text);
  if (content.$case !== "dsseEnvelope") throw new ParseError("Sigstore bundle of a DSSE envelope", content.$case);
  const { payload, signatures } = content.dsseEnvelope;
  return { payload: Uint8Array.from(payload), signatures: signatures.map(({ sig }) => Uint8Array.from(sig)) };
}

function parseBundle(text: string): Bundle {
  try {
    return bundleFromJSON(JSON.parse(text));
  } catch (cause) {
    throw new ParseError("Sigstore bundle", text, { cause });
  }
}

function dsseBundleOf(payload: Uint8Array, signature: Uint8Array, identity: Uint8Array): Bundle {
  const artifact = { artifact: Buffer.from(payload), artifactType: inTotoPayloadType };
  if (!isKeyless(identity)) return toDSSEBundle({ ...artifact, signature: Buffer.from(signature), keyHint: keyHintOf(identity) });
  const certified = parseCertifiedSignature(signature);
  const bundle = toDSSEBundle({
    ...artifact,
    signature: Buffer.from(certified.signature),
    certificate: Buffer.from(certified.certificate),
  });
  bundle.verificationMaterial.timestampVerificationData = { rfc3161Timestamps: [{ signedTimestamp: Buffer.from(certified.timestamp) }] };
  return bundle;
}

function verifierOf(identity: Uint8Array, trustedRoot: string | undefined): Verifier {
  const tlogThreshold = trustedRoot === undefined ? 0 : 1;
  if (!isKeyless(identity)) return keyVerifierOf(identity, trustedRoot, tlogThreshold);
  if (trustedRoot === undefined)
    throw new VerificationError("verifying a keyless bundle: no trusted root says which certificates to believe");
  return new Verifier(toTrustMaterial(parseTrustedRoot(trustedRoot)), { tlogThreshold, ctlogThreshold: 1, timestampThreshold: 1 });
}

function keyVerifierOf(spki: Uint8Array, trustedRoot: string | undefined, tlogThreshold: number): Verifier {
  parseP256Spki(spki);
  const publicKey = createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
  const nobody = { mediaType: "", tlogs: [], ctlogs: [], certificateAuthorities: [], timestampAuthorities: [] };
  const root = trustedRoot === undefined ? nobody : parseTrustedRoot(trustedRoot);
  const trust = toTrustMaterial(root, (hint) => {
    if (hint !== keyHintOf(spki)) throw new VerificationError(`verifying a Sigstore bundle: it names another key (${hint})`);
    return { publicKey, validFor: () => true };
  });
  return new Verifier(trust, { tlogThreshold, ctlogThreshold: 0, timestampThreshold: 0 });
}

function keyHintOf(spki: Uint8Array): string {
  return formatBase64(Buffer.from(sha256Of(spki), "hex"));
}
