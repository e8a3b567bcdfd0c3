import { createHash, generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { KeylessIdentity } from "@quorate/attestation/identity";
import { fulcioHandler, type HandlerFn, initializeCA, initializeCTLog, initializeTSA, tsaHandler } from "@sigstore/mock";
import { HashAlgorithm, PublicKeyDetails, TrustedRoot } from "@sigstore/protobuf-specs";

/** For tests: a Sigstore of one's own on loopback, with a certificate authority, its log of certificates and a timestamp authority. */
export type TestSigstore = AsyncDisposable & {
  readonly url: string;
  /** What makes others believe it: trusted_root.json. */
  readonly trustedRoot: string;
};

/**
 * Its clocks stand still at a whole second, as others are written with a fraction that readers do not always take; and a minute ahead, so that
 * its own certificates, which are made by this host's clock, are valid then.
 *
 * @param secondsBehind how far the certificate authority's is behind that of the timestamp authority
 */
export async function startSigstore(secondsBehind = 0): Promise<TestSigstore> {
  const seconds = Math.floor(Date.now() / 1000) + 60;
  const newKeys = () => generateKeyPairSync("ec", { namedCurve: "P-256" });
  const ctlog = await initializeCTLog(newKeys());
  const [ca, tsa] = [
    await initializeCA(newKeys(), ctlog, new Date((seconds - secondsBehind) * 1000)),
    await initializeTSA(newKeys(), new Date(seconds * 1000)),
  ];
  const handlers = new Map([fulcioHandler(ca), tsaHandler(tsa)].map(({ path, fn }) => [path, fn]));
  const server = await serve(handlers);
  const validFor = { start: new Date(0), end: undefined };
  const chain = (...certificates: ArrayBufferView[]) => ({ certificates: certificates.map((bytes) => ({ rawBytes: bytesOf(bytes) })) });
  const authority = { subject: undefined, uri: server.url, operator: "", validFor };
  const root: TrustedRoot = {
    mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
    tlogs: [],
    certificateAuthorities: [{ ...authority, certChain: chain(ca.rootCertificate) }],
    timestampAuthorities: [{ ...authority, certChain: chain(tsa.intCertificate, tsa.rootCertificate) }],
    ctlogs: [
      {
        baseUrl: server.url,
        operator: "",
        hashAlgorithm: HashAlgorithm.SHA2_256,
        logId: { keyId: createHash("sha256").update(ctlog.publicKey).digest() },
        publicKey: { rawBytes: Buffer.from(ctlog.publicKey), keyDetails: PublicKeyDetails.PKIX_ECDSA_P256_SHA_256, validFor },
        checkpointKeyId: undefined,
      },
    ],
  };
  return { url: server.url, trustedRoot: JSON.stringify(TrustedRoot.toJSON(root)), [Symbol.asyncDispose]: server.close };
}

/** A token as an OpenID Connect issuer gives it; the authority of these tests does not look at its signature. */
export function tokenOf({ issuer, subject }: KeylessIdentity): string {
  const issuedAt = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, sub: subject, aud: "sigstore", iat: issuedAt, exp: issuedAt + 600 };
  return [{ alg: "none", typ: "JWT" }, claims, {}].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
}

async function serve(handlers: ReadonlyMap<string, HandlerFn>): Promise<{ url: string; close: () => Promise<void> }> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const handle = handlers.get(request.url ?? "");
      if (handle === undefined) return void response.writeHead(404).end();
      void handle(Buffer.concat(chunks).toString()).then(({ statusCode, response: body, contentType = "application/json" }) =>
        response.writeHead(statusCode, { "content-type": contentType }).end(typeof body === "string" ? body : bytesOf(body)),
      );
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  };
  return { url, close };
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
