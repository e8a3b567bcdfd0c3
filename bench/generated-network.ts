import { createECDH, createPrivateKey, hash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { type TraceFile, formatTrace } from "@quorate/attestation/build-trace";
import { type LogStatement, policyDigestOf } from "@quorate/attestation/log-statement";
import { signStatement } from "@quorate/signing/envelope";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { type P256Signer, p256SignerOf } from "@quorate/signing/p256-key";
import { type Sha256, parseSha256 } from "@quorate/protocol/digest";
import type { OperatorId } from "@quorate/protocol/operator";
import { defaultPolicy } from "@quorate/protocol/policy";
import { utf8 } from "@quorate/protocol/utf8";
import { formatBase64 } from "@quorate/tlog/base64";
import { testLog, testWitnesses } from "@quorate/tlog/cosigned.fixture";
import { type Enrolled, noteOperator } from "@quorate/verdict/enrolled";
import { formatTrustPolicy } from "@quorate/verdict/trust-policy";
import { WrittenLog } from "./written-log.ts";

const operatorNames = ["alder", "birch", "cedar", "dogwood", "elm", "fir", "ginkgo"];

/** What the rounds of a generated network share: its log, its keys, and who is enrolled. */
export class GeneratedNetwork {
  readonly policy = defaultPolicy;
  readonly policyDigest = policyDigestOf(defaultPolicy);
  readonly networkSigner = signerNamed("network");
  readonly enrolled = new Map<OperatorId, Enrolled>();
  readonly log: WrittenLog;
  readonly #directory: string;
  #signatures = 0;
  readonly #signers = new Map<OperatorId, P256Signer>();

  /** In the form of the data directory of a network that is stopped. */
  constructor(directory: string) {
    this.#directory = directory;
    this.log = new WrittenLog(join(directory, "log", "public"));
    this.append({ kind: "policy", policy: this.policy });
    for (const name of operatorNames) this.#enrol(name);
  }

  /** @returns its index */
  append(statement: LogStatement, signers: readonly P256Signer[] = [this.networkSigner]): number {
    return this.appendSigned(signStatement(statement, signers), signers.length);
  }

  /** An envelope that was signed before. @returns its index */
  appendSigned(envelope: Uint8Array, signatures = 1): number {
    this.#signatures += signatures;
    return this.log.append(envelope);
  }

  /** How many signatures the envelopes in the log have. */
  get signatures(): number {
    return this.#signatures;
  }

  signerOf(operator: OperatorId): P256Signer {
    const signer = this.#signers.get(operator);
    if (signer === undefined) throw new RangeError(`signing: there is no operator ${operator}`);
    return signer;
  }

  /** From here on the operator signs with another key. */
  changeKey(name: string): void {
    const old = signerNamed(name);
    const signer = signerNamed(`${name}, renewed`);
    const predicate = { action: "rotate" as const, operator: old.operator, identityKey: formatBase64(signer.spki) };
    const index = this.append({ kind: "operator", predicate }, [old, signer, this.networkSigner]);
    noteOperator(this.enrolled, index, predicate);
    this.#signers.set(old.operator, signer);
  }

  /** Keeps a build trace where a coordinator keeps blobs. */
  keepTrace(files: readonly TraceFile[]): { sha256: Sha256; sizeBytes: number } {
    const bytes = utf8(formatTrace(files));
    const sha256 = nodeHasher.digest(bytes);
    const directory = join(this.#directory, "coordinator", "blobs", sha256.slice(0, 2));
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, `${sha256.slice(2)}.zst`), zstdCompressSync(bytes));
    return { sha256, sizeBytes: bytes.length };
  }

  /** Publishes the log, and the policy of a reader who trusts this network. */
  publish(): void {
    this.log.publish();
    const witnesses = testWitnesses.map(({ key }) => ({ name: key.name, key }));
    const members = witnesses.map(({ name }) => name);
    const policy = {
      witnessPolicy: { logs: [{ key: testLog.key }], witnesses, groups: [{ name: "most", threshold: 3, members }], quorum: "most" },
      network: { name: "generated", key: this.networkSigner.spki },
      operators: operatorNames.map((name) => ({ name, key: signerNamed(name).spki, id: signerNamed(name).operator })),
      threshold: this.policy.threshold,
    };
    writeFileSync(join(this.#directory, "policy"), formatTrustPolicy(policy));
  }

  #enrol(name: string): void {
    const signer = signerNamed(name);
    const predicate = {
      action: "enrol" as const,
      operator: signer.operator,
      name,
      identityKey: formatBase64(signer.spki),
      groups: { organisation: name },
      architectures: ["amd64", "all"],
      ecosystems: ["debian" as const],
    };
    noteOperator(this.enrolled, this.append({ kind: "operator", predicate }, [signer, this.networkSigner]), predicate);
    this.#signers.set(signer.operator, signer);
  }
}

/** The digest of what has this name. */
export function digestNamed(name: string): Sha256 {
  return parseSha256(hash("sha256", name));
}

function signerNamed(name: string): P256Signer {
  const ecdh = createECDH("prime256v1");
  const secret = hash("sha256", `generated key of ${name}`, "buffer");
  ecdh.setPrivateKey(secret);
  const point = ecdh.getPublicKey();
  const base64url = (bytes: Buffer): string => bytes.toString("base64url");
  const coordinates = { d: base64url(secret), x: base64url(point.subarray(1, 33)), y: base64url(point.subarray(33)) };
  return p256SignerOf(createPrivateKey({ format: "jwk", key: { kty: "EC", crv: "P-256", ...coordinates } }));
}
