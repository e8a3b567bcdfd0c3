import { generateKeyPairSync } from "node:crypto";
import { verifyEnvelope } from "@quorate/attestation/dsse";
import { parseEntry } from "@quorate/attestation/log-statement";
import { sampleBuilt, sampleStatements } from "@quorate/attestation/nouns.fixture";
import { describe, expect, test } from "vitest";
import { countersign, signStatement } from "./envelope.ts";
import { p256SignerOf, verifyP256 } from "./p256-key.ts";

const operator = p256SignerOf(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey);
const network = p256SignerOf(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey);

describe("signing statements", () => {
  test.each(Object.entries(sampleStatements))("%s becomes an entry that parses and verifies", (_, statement) => {
    const entry = parseEntry(signStatement(statement, [operator]));
    expect(entry.statement).toEqual(statement);
    expect(() => verifyEnvelope(entry.envelope, [operator.spki], verifyP256)).not.toThrow();
  });

  test("a countersignature comes after the signatures that are there", () => {
    const statement = { kind: "result", result: sampleBuilt } as const;
    const { envelope } = parseEntry(countersign(signStatement(statement, [operator]), network));
    expect(() => verifyEnvelope(envelope, [operator.spki, network.spki], verifyP256)).not.toThrow();
    expect(() => verifyEnvelope(envelope, [network.spki, operator.spki], verifyP256)).toThrow(/signature 1/);
  });

  test("an envelope that readers would refuse is not signed", () => {
    const [artifact] = sampleBuilt.artifacts;
    if (artifact === undefined) throw new Error("an artifact");
    const artifacts = Array.from({ length: 30_000 }, (_, index) => ({ ...artifact, name: `a${index}` }));
    expect(() => signStatement({ kind: "result", result: { ...sampleBuilt, artifacts } }, [operator])).toThrow(/readers take 4194304/);
  });
});
