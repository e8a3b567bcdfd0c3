import { generateKeyPairSync, sign, verify } from "node:crypto";
import { parseEntry } from "@quorate/attestation/log-statement";
import { verifyEnvelope } from "@quorate/attestation/dsse";
import { sampleBuilt } from "@quorate/attestation/nouns.fixture";
import { signStatement } from "@quorate/signing/envelope";
import { p256SignerOf, verifyP256 } from "@quorate/signing/p256-key";
import { type Figure, ratePerSecond } from "./figure.ts";
import { verifyP256Portable } from "@quorate/attestation/portable-p256";

/** Signing and verifying log entries, beside OpenSSL's bare ECDSA P-256 over a digest-sized message in the same process. */
export async function measure(): Promise<Figure[]> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const signer = p256SignerOf(privateKey);
  const entry = signStatement({ kind: "result", result: sampleBuilt }, [signer]);
  const message = Buffer.alloc(32, 7);
  const signature = sign("sha256", message, privateKey);

  const bareSign = ratePerSecond(() => sign("sha256", message, privateKey));
  const bareVerify = ratePerSecond(() => verify("sha256", message, publicKey, signature));
  const signed = ratePerSecond(() => signStatement({ kind: "result", result: sampleBuilt }, [signer]));
  const verified = ratePerSecond(() => verifyEnvelope(parseEntry(entry).envelope, [signer.spki], verifyP256));
  const portable = ratePerSecond(() => verifyEnvelope(parseEntry(entry).envelope, [signer.spki], verifyP256Portable));
  return [
    {
      name: `sign a result (${entry.length} bytes)`,
      value: signed,
      unit: "/s",
      ratio: signed / bareSign,
      reference: "bare ECDSA P-256 sign",
    },
    { name: "parse and verify a result", value: verified, unit: "/s", ratio: verified / bareVerify, reference: "bare ECDSA P-256 verify" },
    { name: "the same in portable code", value: portable, unit: "/s", ratio: portable / bareVerify, reference: "bare ECDSA P-256 verify" },
  ];
}
