import { ParseError } from "@quorate/protocol/parse-error";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatCheckpoint, parseCheckpoint, verifyCheckpoint } from "./checkpoint.ts";
import { hashFrom } from "./hash.ts";
import { emptyRoot, leafHash } from "./merkle.ts";
import { signNote } from "./note.ts";
import { mutationsOf, respell } from "./respell.fixture.ts";
import { testSigner } from "./signer.fixture.ts";
import { verifyEd25519Portable } from "./portable-ed25519.ts";

const root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
const sample = `example.com/behind-the-sofa\n20852163\n${root}\n`;

describe("a checkpoint", () => {
  test("of the specification is read, and written the same", () => {
    const checkpoint = parseCheckpoint(sample);
    expect(checkpoint).toMatchObject({ origin: "example.com/behind-the-sofa", size: 20_852_163 });
    expect(formatCheckpoint(checkpoint)).toBe(sample);
  });

  test("of any origin, size and root is read back", () => {
    const checkpoints = fc.record({
      origin: fc.stringMatching(/^[ -~é]{1,40}$/),
      size: fc.maxSafeNat(),
      root: fc.uint8Array({ minLength: 32, maxLength: 32 }).map(hashFrom),
    });
    fc.assert(
      fc.property(checkpoints, (checkpoint) => {
        expect(parseCheckpoint(formatCheckpoint(checkpoint))).toEqual(checkpoint);
      }),
    );
  });

  test("has no second spelling", () => {
    const pieces = fc.constantFrom("\n", "a", "1", "0", root, root.slice(0, -1), "-", "+", " ", "e", "x");
    fc.assert(
      fc.property(
        fc.oneof(
          mutationsOf(sample),
          fc.array(pieces, { maxLength: 9 }).map((parts) => parts.join("")),
        ),
        (text) => {
          expect(respell(text, parseCheckpoint, formatCheckpoint)).toBe(text);
        },
      ),
      { numRuns: 3000 },
    );
  });

  test.each([
    ["an empty origin", `\n1\n${root}\n`],
    ["a size with a leading zero", `a\n01\n${root}\n`],
    ["a size with a sign", `a\n+1\n${root}\n`],
    ["an empty size", `a\n\n${root}\n`],
    ["a hexadecimal size", `a\n0x10\n${root}\n`],
    ["a size of 2^53", `a\n9007199254740992\n${root}\n`],
    ["a short root", "a\n1\nAAAA\n"],
    ["a root with stray bits", `a\n1\n${root.replace("I=", "J=")}\n`],
    ["a root in the URL alphabet", `a\n1\n${root.replace("/", "_")}\n`],
    ["an extension line", `a\n1\n${root}\nmore\n`],
    ["no final newline", `a\n1\n${root}`],
    ["a carriage return", `a\r\n1\n${root}\n`],
  ])("with %s is refused", (_, text) => {
    expect(() => parseCheckpoint(text)).toThrow(ParseError);
  });
});

describe("verifying a checkpoint", () => {
  const log = testSigner("log.example", 1);
  const text = (origin: string, size: number, hash = leafHash(new Uint8Array(1))) => formatCheckpoint({ origin, size, root: hash });

  test("returns what the log signed", () => {
    const { checkpoint, note } = verifyCheckpoint(signNote(text("log.example", 7), [log]), log.key, verifyEd25519Portable);
    expect(checkpoint).toMatchObject({ origin: "log.example", size: 7 });
    expect(note.verified).toHaveLength(1);
  });

  test("refuses another log's origin under this log's key", () => {
    expect(() => verifyCheckpoint(signNote(text("other.example", 7), [log]), log.key, verifyEd25519Portable)).toThrow(
      "its origin other.example is no known log",
    );
  });

  test("refuses another log's signature", () => {
    const other = testSigner("log.example", 2);
    expect(() => verifyCheckpoint(signNote(text("log.example", 7), [other]), log.key, verifyEd25519Portable)).toThrow(
      "no signature by a known key",
    );
  });

  test("refuses an empty tree with a root that is not SHA-256 of nothing", () => {
    expect(() => verifyCheckpoint(signNote(text("log.example", 0), [log]), log.key, verifyEd25519Portable)).toThrow("not the empty tree's");
    expect(verifyCheckpoint(signNote(text("log.example", 0, emptyRoot), [log]), log.key, verifyEd25519Portable).checkpoint.size).toBe(0);
  });
});
