import { textOf } from "@quorate/protocol/utf8";
import { ParseError } from "@quorate/protocol/parse-error";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { cosign, cosignatureMessage, formatCosignature, parseCosignature, verifyCosignature } from "./cosignature.ts";
import { formatNote, parseNote, verifyNote } from "./note.ts";
import { testSigner } from "./signer.fixture.ts";
import { VerificationError } from "./verification-error.ts";
import { verifyEd25519Portable } from "./portable-ed25519.ts";

const text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
const witness = testSigner("witness.example/w1", 4, "cosignature");

test("the message is that of the specification", () => {
  expect(textOf(cosignatureMessage(1_679_315_147, text))).toBe(`cosignature/v1\ntime 1679315147\n${text}`);
});

test("the time of the specification's example is read", () => {
  const line =
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
  const [signature] = parseNote(`${text}\n${line}`).signatures;
  expect(signature && parseCosignature(signature).time).toBe(1_679_315_147);
});

test("any time is read back, up to 2^53 - 1", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.uint8Array({ minLength: 64, maxLength: 64 }), (time, signature) => {
      expect(parseCosignature(formatCosignature({ key: witness.key, time, signature }))).toEqual({ time, signature });
    }),
  );
});

test("a cosignature verifies alone, and in a note with its time", () => {
  const signature = cosign({ text, time: 1000, signer: witness });
  expect(verifyCosignature({ text, signature, key: witness.key, verify: verifyEd25519Portable })).toBe(1000);
  const note = parseNote(formatNote(text, [signature]));
  expect(verifyNote(note, [witness.key], verifyEd25519Portable).verified.map(({ time }) => time)).toEqual([1000]);
});

test("a change of any byte, the time's included, or of the checkpoint is refused", () => {
  const signature = cosign({ text, time: 1000, signer: witness });
  for (let at = 0; at < 72; at += 1) {
    const changed = { ...signature, signature: signature.signature.map((byte, index) => (index === at ? byte ^ 1 : byte)) };
    expect(() => verifyCosignature({ text, signature: changed, key: witness.key, verify: verifyEd25519Portable })).toThrow(
      VerificationError,
    );
  }
  expect(() => verifyCosignature({ text: text.replace("3\n", "4\n"), signature, key: witness.key, verify: verifyEd25519Portable })).toThrow(
    "at 1000 is wrong",
  );
});

test("a cosignature of another length, or with a time of 2^53 or more, is refused", () => {
  const signature = cosign({ text, time: 1000, signer: witness });
  for (const length of [0, 7, 64, 71]) {
    const cut = { ...signature, signature: signature.signature.slice(0, length) };
    expect(() => parseCosignature(cut)).toThrow(ParseError);
    expect(() => verifyCosignature({ text, signature: cut, key: witness.key, verify: verifyEd25519Portable })).toThrow(VerificationError);
  }
  const late = { ...signature, signature: signature.signature.map((byte, index) => (index === 1 ? 0x20 : byte)) };
  expect(() => parseCosignature(late)).toThrow("at most 2^53 - 1");
  expect(() => formatCosignature({ key: witness.key, time: -1, signature: new Uint8Array(64) })).toThrow(RangeError);
});

test("a log's key does not cosign", () => {
  expect(() => cosign({ text, time: 1, signer: testSigner("log.example", 1) })).toThrow("ed25519 key");
});

test("a plain signature under a witness's key is no cosignature", () => {
  const { key, sign } = witness;
  const note = parseNote(formatNote(text, [{ name: key.name, keyId: key.keyId, signature: sign(cosignatureMessage(0, text)) }]));
  expect(() => verifyNote(note, [key], verifyEd25519Portable)).toThrow("is malformed");
});
