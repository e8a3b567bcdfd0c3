import { ed25519 } from "@noble/curves/ed25519.js";
import { ParseError } from "@quorate/protocol/parse-error";
import { utf8 } from "@quorate/protocol/utf8";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type NoteAlgorithm,
  type NoteSigner,
  formatNote,
  formatVkey,
  maxNoteBytes,
  noteKeyOf,
  parseNote,
  parseSignatureLines,
  parseVkey,
  signNote,
  verifyNote,
} from "./note.ts";
import { mutationsOf, respell } from "./respell.fixture.ts";
import { testSigner } from "./signer.fixture.ts";
import { VerificationError } from "./verification-error.ts";
import { verifyEd25519Portable } from "./portable-ed25519.ts";

const goVkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const goNote =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n" +
  "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

const names = fc.stringMatching(/^[a-z0-9./é-]{1,30}$/);
const noteTexts = fc.array(fc.stringMatching(/^[ -~é—]{0,20}$/), { minLength: 1, maxLength: 5 }).map((lines) => `${lines.join("\n")}\n`);

describe("a verifier key", () => {
  test("of Go's note package is read, and written the same", () => {
    expect(formatVkey(parseVkey(goVkey))).toBe(goVkey);
    expect(parseVkey(goVkey)).toMatchObject({ name: "PeterNeumann", keyId: 0xc74f20a3, algorithm: "ed25519" });
  });

  test("of any name and key is read back", () => {
    const keys = fc.record({
      name: names,
      algorithm: fc.constantFrom<NoteAlgorithm>("ed25519", "cosignature"),
      publicKey: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    });
    fc.assert(
      fc.property(keys, (key) => {
        expect(parseVkey(formatVkey(noteKeyOf(key)))).toEqual(noteKeyOf(key));
      }),
    );
  });

  test.each([
    ["another key's ID", goVkey.replace("c74f20a3", "c74f20a4")],
    ["an upper-case key ID", goVkey.replace("c74f20a3", "C74F20A3")],
    ["another name", goVkey.replace("Peter", "Petra")],
    ["a name with a space", goVkey.replace("Peter", "Peter ")],
    ["no name", goVkey.replace("PeterNeumann", "")],
    ["missing base64", goVkey.slice(0, -1)],
    ["stray bits at the end of the base64", `${goVkey.slice(0, -1)}X`],
    ["a newline", `${goVkey}\n`],
    ["an unknown type", goVkey.replace("+AR", "+AB")],
  ])("with %s is refused", (_, text) => {
    expect(() => parseVkey(text)).toThrow(ParseError);
  });
});

describe("a note", () => {
  test("of Go's note package verifies under its key", () => {
    const note = verifyNote(parseNote(goNote), [parseVkey(goVkey)], verifyEd25519Portable);
    expect(note.text).toMatch(/^If you think.*\n.*is\.\n$/);
    expect(note.verified.map(({ key }) => key.name)).toEqual(["PeterNeumann"]);
  });

  test("with any text and signatures is read back, from text and from bytes", () => {
    const signatures = fc.array(
      fc.record({ name: names, keyId: fc.nat(0xffffffff), signature: fc.uint8Array({ minLength: 1, maxLength: 80 }) }),
      { minLength: 1, maxLength: 16 },
    );
    fc.assert(
      fc.property(noteTexts, signatures, (text, lines) => {
        const note = formatNote(text, lines);
        expect(parseNote(note)).toEqual({ text, signatures: lines });
        expect(parseNote(utf8(note))).toEqual({ text, signatures: lines });
      }),
    );
  });

  test("has no second spelling", () => {
    const pieces = fc.constantFrom("\n", "\n\n", "— ", "a", " ", "AAAAAAA=", "AAAAAAB=", "AAAAAAA", "+", "\t", "\r", "\u00a0", "é");
    fc.assert(
      fc.property(
        fc.oneof(
          mutationsOf(goNote),
          fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join("")),
        ),
        (text) => {
          const written = respell(text, parseNote, (note) => formatNote(note.text, note.signatures));
          expect(written).toBe(text);
        },
      ),
      { numRuns: 3000 },
    );
  });

  test("splits at its last blank line", () => {
    expect(parseNote("a\n\n— b AAAAAAA=\n\n— c AAAAAAA=\n")).toMatchObject({ text: "a\n\n— b AAAAAAA=\n", signatures: [{ name: "c" }] });
  });

  test.each([
    ["no blank line", "a\n— b AAAAAAA=\n"],
    ["no signature", "a\n\n"],
    ["no newline at its end", "a\n\n— b AAAAAAA="],
    ["a hyphen for the dash", "a\n\n- b AAAAAAA=\n"],
    ["two spaces", "a\n\n—  b AAAAAAA=\n"],
    ["a no-break space in a name", "a\n\n— b\u00a0c AAAAAAA=\n"],
    ["a plus sign in a name", "a\n\n— b+c AAAAAAA=\n"],
    ["a tab", "a\tb\n\n— b AAAAAAA=\n"],
    ["a carriage return", "a\r\n\n— b AAAAAAA=\n"],
    ["a signature of the key ID alone", "a\n\n— b AAAAAA==\n"],
    ["base64 without padding", "a\n\n— b AAAAAAA\n"],
    ["base64 with stray bits", "a\n\n— b AAAAAAB=\n"],
    ["a lone surrogate", "a\ud800\n\n— b AAAAAAA=\n"],
    ["too many signatures", `a\n\n${"— b AAAAAAA=\n".repeat(65)}`],
    ["too many bytes", `${"a".repeat(maxNoteBytes)}\n\n— b AAAAAAA=\n`],
  ])("with %s is refused", (_, text) => {
    expect(() => parseNote(text)).toThrow(ParseError);
  });

  test("that is not UTF-8 is refused", () => {
    expect(() => parseNote(Uint8Array.of(0x61, 0xff, 0x0a, 0x0a))).toThrow("UTF-8");
  });

  test("with 16 signatures of 5,000 bytes is accepted", () => {
    const signatures = Array.from({ length: 16 }, (_, keyId) => ({ name: "a", keyId, signature: new Uint8Array(5000) }));
    expect(parseNote(formatNote("a\n", signatures)).signatures).toHaveLength(16);
  });

  test("is not written with a text that would be read as another", () => {
    for (const text of ["", "a", "a\rb\n"])
      expect(() => formatNote(text, [{ name: "a", keyId: 1, signature: new Uint8Array(1) }])).toThrow(ParseError);
    expect(() => formatNote("a\n", [])).toThrow(ParseError);
  });
});

describe("verifying a note", () => {
  const [alice, bob] = [testSigner("alice.example", 1), testSigner("bob.example", 2)];
  const signed = parseNote(signNote("text\n", [alice, bob]));

  test("checks each known key and sets the others apart", () => {
    const note = verifyNote(signed, [bob.key], verifyEd25519Portable);
    expect(note.verified.map(({ key }) => key.name)).toEqual(["bob.example"]);
    expect(note.others.map(({ name }) => name)).toEqual(["alice.example"]);
  });

  test("refuses a note without a known key, also when only the name or only the ID is known", () => {
    const carol = testSigner("carol.example", 3).key;
    const sameName = { ...carol, name: "alice.example" };
    const sameId = { ...carol, keyId: alice.key.keyId };
    for (const keys of [[], [carol], [sameName], [sameId]])
      expect(() => verifyNote(signed, keys, verifyEd25519Portable)).toThrow("no signature by a known key");
  });

  test("refuses a note in which one known key's signature is wrong, even beside a right one", () => {
    const [first, second] = signed.signatures;
    const wrong = { text: signed.text, signatures: [first, { ...second, signature: first?.signature }] };
    const note = parseNote(formatNote(wrong.text, wrong.signatures as typeof signed.signatures));
    expect(() => verifyNote(note, [alice.key, bob.key], verifyEd25519Portable)).toThrow("the signature by bob.example");
    expect(verifyNote(note, [alice.key], verifyEd25519Portable).verified).toHaveLength(1);
  });

  test("refuses every change of a bit of a signature or of the text", () => {
    fc.assert(
      fc.property(fc.nat(63), fc.nat(7), (at, bit) => {
        const signatures = signed.signatures.map((line) => ({
          ...line,
          signature: line.signature.map((byte, index) => (index === at ? byte ^ (1 << bit) : byte)),
        }));
        expect(() => verifyNote({ ...signed, signatures }, [alice.key], verifyEd25519Portable)).toThrow(VerificationError);
        expect(() => verifyNote({ ...signed, text: `text${at}\n` }, [alice.key], verifyEd25519Portable)).toThrow(VerificationError);
      }),
      { numRuns: 30 },
    );
  });

  test("uses the verifier that is passed in", () => {
    const calls: number[] = [];
    verifyNote(signed, [alice.key], (key, message, signature) => calls.push(key.length, message.length, signature.length) > 0);
    expect(calls).toEqual([32, 5, 64]);
  });

  test("takes a key or signature of nonsense as wrong, without another error", () => {
    const key = noteKeyOf({ name: "nonsense.example", algorithm: "ed25519", publicKey: new Uint8Array(32).fill(255) });
    const note = { text: "text\n", signatures: [{ name: key.name, keyId: key.keyId, signature: new Uint8Array(64).fill(255) }] };
    expect(() => verifyNote(note, [key], verifyEd25519Portable)).toThrow(VerificationError);
    const short = { ...note, signatures: [{ name: key.name, keyId: key.keyId, signature: new Uint8Array(3) }] };
    expect(() => verifyNote(short, [key], verifyEd25519Portable)).toThrow(VerificationError);
  });

  test("is not for signing with a witness's key", () => {
    const witness: NoteSigner = {
      key: noteKeyOf({ ...alice.key, algorithm: "cosignature" }),
      sign: (message) => ed25519.sign(message, new Uint8Array(32)),
    };
    expect(() => signNote("text\n", [witness])).toThrow("cosignature key");
  });
});

test("signature lines are read as a witness answers them", () => {
  expect(parseSignatureLines("— a AAAAAAA=\n— b AAAAAQA=\n").map(({ name, keyId }) => [name, keyId])).toEqual([
    ["a", 0],
    ["b", 1],
  ]);
  for (const text of ["", "\n", "— a AAAAAAA=", "— a AAAAAAA=\n\n"]) expect(() => parseSignatureLines(text)).toThrow(ParseError);
});
