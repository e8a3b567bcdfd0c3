import { ParseError } from "@quorate/protocol/parse-error";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cosign } from "./cosignature.ts";
import { cosigned, testWitnesses } from "./cosigned.fixture.ts";
import { hashFrom } from "./hash.ts";
import { leafHash } from "./merkle.ts";
import { formatSignatureLines, parseNote } from "./note.ts";
import { mutationsOf, respell } from "./respell.fixture.ts";
import {
  formatAddCheckpoint,
  formatTreeSize,
  parseAddCheckpoint,
  parseTreeSize,
  verifyWitnessAnswer,
  witnessedCheckpointPath,
} from "./witness-request.ts";
import { verifyEd25519Portable } from "./portable-ed25519.ts";

const root = leafHash(new Uint8Array(1));
const noteText = cosigned({ size: 20_852_163, root }, []);

/** The body in C2SP tlog-witness, "add-checkpoint". */
const sample = `old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
`;

describe("an add-checkpoint request", () => {
  test("of the specification is read, and written the same", () => {
    const request = parseAddCheckpoint(sample);
    expect(request).toMatchObject({ oldSize: 20_852_014, checkpoint: { origin: "example.com/behind-the-sofa", size: 20_852_163 } });
    expect(request.proof).toHaveLength(4);
    expect(formatAddCheckpoint(request)).toBe(sample);
  });

  test("of any old size up to the checkpoint's and up to 63 hashes is read back", () => {
    const hashes = fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }).map(hashFrom), { maxLength: 63 });
    fc.assert(
      fc.property(fc.nat(20_852_163), hashes, (oldSize, proof) => {
        expect(parseAddCheckpoint(formatAddCheckpoint({ oldSize, proof, noteText }))).toMatchObject({ oldSize, proof, noteText });
      }),
      { numRuns: 30 },
    );
  });

  test("has no second spelling", () => {
    const pieces = fc.constantFrom("old ", "old 0\n", "7", "0", "\n", " ", `${"A".repeat(43)}=\n`, `${"A".repeat(42)}B=\n`);
    fc.assert(
      fc.property(
        fc.oneof(
          mutationsOf(sample),
          fc.array(pieces, { maxLength: 7 }).map((parts) => `${parts.join("")}\n${noteText}`),
        ),
        (text) => {
          expect(respell(text, parseAddCheckpoint, formatAddCheckpoint)).toBe(text);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test.each([
    ["an old size above the checkpoint's", sample.replace("old 20852014", "old 20852164")],
    ["an old size with a leading zero", sample.replace("old 2", "old 02")],
    ["no old size", sample.replace("old 20852014\n", "")],
    ["two spaces", sample.replace("old ", "old  ")],
    ["64 hashes", sample.replace("\n\n", `\n${`${"A".repeat(43)}=\n`.repeat(60)}\n`)],
    ["a short hash", sample.replace("PlRN", "")],
    ["no blank line before the checkpoint", sample.replace("\n\n", "\n")],
    ["an unsigned checkpoint", sample.slice(0, sample.indexOf("— "))],
    ["a carriage return", sample.replace("\n", "\r\n")],
    ["300,000 bytes", `${sample}${"— a AAAAAAA=\n".repeat(25_000)}`],
  ])("with %s is refused", (_, text) => {
    expect(() => parseAddCheckpoint(text)).toThrow(ParseError);
  });
});

describe("a witness's answer", () => {
  const { text } = parseNote(noteText);
  const [first, second] = testWitnesses.map((signer) => cosign({ text, time: 1000, signer }));
  const key = testWitnesses[0]?.key ?? expect.unreachable();

  test("gives the cosignature by its key, whatever else is in it", () => {
    const body = formatSignatureLines([second, first].filter((line) => line !== undefined));
    expect(verifyWitnessAnswer({ body, text, key, verify: verifyEd25519Portable })).toMatchObject({ time: 1000, signature: first });
  });

  test("is refused without a cosignature by its key, with one of another checkpoint, and when it is no signature line", () => {
    const of = (line: typeof first) => formatSignatureLines(line ? [line] : []);
    expect(() => verifyWitnessAnswer({ body: of(second), text, key, verify: verifyEd25519Portable })).toThrow(
      "no signature by a known key",
    );
    expect(() => verifyWitnessAnswer({ body: of(first), text: `${text}x\n`, key, verify: verifyEd25519Portable })).toThrow("is wrong");
    expect(() => verifyWitnessAnswer({ body: "<html>\n", text, key, verify: verifyEd25519Portable })).toThrow(ParseError);
  });
});

test("a tree size line is read back, and has no second spelling", () => {
  expect([formatTreeSize(0), parseTreeSize("20852014\n")]).toEqual(["0\n", 20_852_014]);
  for (const body of ["", "1", "01\n", "1\n\n", " 1\n", "-1\n"]) expect(() => parseTreeSize(body)).toThrow(ParseError);
});

test("a witness shows a log's checkpoint under the digest of its origin", () => {
  expect(witnessedCheckpointPath("log.example")).toMatch(/^[0-9a-f]{64}\/checkpoint$/);
});
