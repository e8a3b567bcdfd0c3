import { formatTrace, parseTrace, traceSummaryOfBytes } from "@quorate/attestation/build-trace";
import { formatDeployment, parseDeployment } from "@quorate/attestation/deployment";
import { formatEnvelope, parseEnvelope } from "@quorate/attestation/dsse";
import { formatHashedRekord, parseHashedRekord } from "@quorate/attestation/hashed-rekord";
import { formatLink, parseLink } from "@quorate/attestation/in-toto-link";
import { formatStatement, parseEntry, parseStatement } from "@quorate/attestation/log-statement";
import { formatManifest, parseManifest } from "@quorate/attestation/manifest";
import { parseP256Key } from "@quorate/attestation/p256";
import { escapePath, unescapePath } from "@quorate/attestation/path-text";
import { formatRuntime, parseRuntime } from "@quorate/attestation/runtime-statement";
import { type Format, inOneSpelling } from "./format.ts";

export const attestationFormats: readonly Format[] = [
  { name: "DSSE envelope", vectors: "attestation/envelope", parse: (input) => inSameBytes(input, formatEnvelope(parseEnvelope(input))) },
  { name: "statement", vectors: "attestation/statement", parse: (input) => inSameBytes(input, formatStatement(parseStatement(input))) },
  {
    name: "deployment statement",
    vectors: "attestation/deployment",
    parse: (input) => {
      const { subject, deployment } = parseDeployment(input);
      inSameBytes(input, Buffer.from(formatDeployment(subject.name, subject.digest.sha256, deployment)));
    },
  },
  {
    name: "runtime statement",
    vectors: "attestation/runtime",
    parse: (input) => {
      const { statement } = parseRuntime(input);
      inSameBytes(parseEnvelope(input).payload, formatRuntime(statement.subject.name, statement.subject.digest.sha256, statement.runtime));
    },
  },
  { name: "entry", vectors: "attestation/entry", parse: parseEntry },
  {
    name: "statement in an entry",
    vectors: "attestation/statement",
    parse: (payload) => parseEntry(formatEnvelope({ payload, signatures: [new Uint8Array(70)] })),
  },
  {
    name: "hashedrekord",
    vectors: "attestation/hashed-rekord",
    parse: (input) => inSameBytes(input, formatHashedRekord(parseHashedRekord(input))),
  },
  {
    name: "build trace",
    vectors: "attestation/build-trace",
    parse: (input) => {
      inOneSpelling(parseTrace, formatTrace)(input);
      traceSummaryOfBytes(input);
    },
  },
  { name: "manifest", vectors: "attestation/manifest", parse: inOneSpelling(parseManifest, formatManifest) },
  { name: "path", vectors: "attestation/path", parse: inOneSpelling(unescapePath, escapePath) },
  {
    name: "in-toto link",
    vectors: "attestation/in-toto-link",
    parse: inOneSpelling(parseLink, ({ link, ...signed }) => formatLink(link, signed)),
  },
  { name: "P-256 key", vectors: "attestation/p256-key", encoding: "hex", parse: parseP256Key },
];

function inSameBytes(input: Uint8Array, written: Uint8Array): void {
  if (!Buffer.from(input).equals(written)) throw new Error(`parsed, but written as ${Buffer.from(written).toString("base64")}`);
}
