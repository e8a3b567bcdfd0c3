import { ParseError } from "@quorate/protocol/parse-error";
import { utf8 } from "@quorate/protocol/utf8";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatCheckpoint } from "./checkpoint.ts";
import { leafHash } from "./merkle.ts";
import { formatNote, formatVkey, parseNote, parseVkey, signNote, verifyNote } from "./note.ts";
import { verifyNoteSignaturePortable } from "./portable-note-verify.ts";
import { testSigner } from "./signer.fixture.ts";
import { cosignSubtree, subtreeMessage } from "./subtree-cosignature.ts";
import { parseTlogPolicy, verifyCosignedCheckpoint } from "./tlog-policy.ts";
import { VerificationError } from "./verification-error.ts";

const verify = verifyNoteSignaturePortable;
const tree = { origin: "log.example/2026", size: 20_852_163, root: leafHash(utf8("a")) };
const text = formatCheckpoint(tree);
const classic = testSigner(tree.origin, 1);
const postQuantum = testSigner(tree.origin, 2, "ml-dsa-44");
const witness = testSigner("witness.example/w", 3, "ml-dsa-44");
const signatures = [
  ...parseNote(signNote(text, [classic])).signatures,
  cosignSubtree({ tree, time: 1_679_315_147, signer: postQuantum }),
  cosignSubtree({ tree, time: 1_679_315_148, signer: witness }),
];
const note = formatNote(text, signatures);

test("an ML-DSA-44 verifier key is read back, and one of another length is refused", () => {
  const vkey = formatVkey(postQuantum.key);
  expect(parseVkey(vkey)).toEqual(postQuantum.key);
  expect(parseVkey(vkey)).toMatchObject({ name: tree.origin, algorithm: "ml-dsa-44" });
  const ed25519Key = formatVkey({ ...classic.key, algorithm: "ml-dsa-44" });
  expect(() => parseVkey(ed25519Key)).toThrow("a public key of 1312 bytes");
  expect(() => parseVkey(vkey.replace(/[0-9a-f]{8}/, "00000000"))).toThrow(ParseError);
});

test("what is signed is laid out as the specification says", () => {
  const message = subtreeMessage({ cosigner: "w.example", time: 0x0102, tree: { ...tree, origin: "o" } });
  expect(Buffer.from(message).toString("hex")).toBe(
    [
      "737562747265652f76310a00",
      "09772e6578616d706c65",
      "0000000000000102",
      "016f",
      "0000000000000000",
      "00000000013e2dc3",
      Buffer.from(tree.root).toString("hex"),
    ].join(""),
  );
  expect(() => subtreeMessage({ cosigner: "é".repeat(128), time: 1, tree })).toThrow("name of 1 to 255 bytes");
  expect(() => subtreeMessage({ cosigner: "w", time: 1, tree: { ...tree, origin: "" } })).toThrow(ParseError);
});

describe("a checkpoint with a second signature", () => {
  test("verifies under either key or both, and for who knows one alone", () => {
    expect(verifyNote(parseNote(note), [postQuantum.key], verify).verified).toMatchObject([{ key: postQuantum.key, time: 1_679_315_147 }]);
    expect(verifyNote(parseNote(note), [classic.key, postQuantum.key], verify).verified.length).toBe(2);
    const { verified, others } = verifyNote(parseNote(note), [classic.key], verify);
    expect([verified.length, others.length]).toEqual([1, 2]);
  });

  test("has extension lines that ML-DSA-44 does not sign", () => {
    const extended = parseNote(formatNote(`${text}extension\n`, signatures.slice(1)));
    expect(verifyNote(extended, [postQuantum.key], verify).verified.length).toBe(1);
  });

  test.each([
    ["another size", text.replace("20852163", "20852164")],
    ["another root", text.replace(/\n[^\n]{44}\n/, `\n${"A".repeat(43)}=\n`)],
    ["another origin", text.replace("log.example", "Log.example")],
    ["no checkpoint", "a text\n"],
  ])("is refused with %s", (_, other) => {
    const changed = parseNote(formatNote(other, signatures.slice(1, 2)));
    expect(() => verifyNote(changed, [postQuantum.key], verify)).toThrow(VerificationError);
  });

  test("is refused with another time, another cosigner's name, and any change of the signature", () => {
    const [, second] = signatures;
    if (second === undefined) throw new Error("there is no second signature");
    const renamed = testSigner("log.example/2027", 2, "ml-dsa-44").key;
    const changed = fc.integer({ min: 0, max: 8 + 2420 - 1 }).map((at) => second.signature.with(at, (second.signature[at] ?? 0) ^ 1));
    fc.assert(
      fc.property(changed, (signature) => {
        expect(() => verifyNote({ text, signatures: [{ ...second, signature }] }, [postQuantum.key], verify)).toThrow(VerificationError);
      }),
      { numRuns: 30 },
    );
    const asRenamed = { ...second, name: renamed.name, keyId: renamed.keyId };
    expect(() => verifyNote({ text, signatures: [asRenamed] }, [renamed], verify)).toThrow(VerificationError);
    const short = { ...second, signature: second.signature.subarray(1) };
    expect(() => verifyNote({ text, signatures: [short] }, [postQuantum.key], verify)).toThrow("is malformed");
  });

  test("serves a policy that names the ML-DSA-44 keys of its log and of a witness, and needs them", () => {
    const policyText = `log ${formatVkey(postQuantum.key)}\nwitness w ${formatVkey(witness.key)}\nquorum w\n`;
    const policy = parseTlogPolicy(policyText);
    expect(verifyCosignedCheckpoint(note, policy, verify)).toMatchObject({ witnesses: [{ name: "w", time: 1_679_315_148 }] });
    const withoutWitness = formatNote(text, signatures.slice(0, 2));
    expect(() => verifyCosignedCheckpoint(withoutWitness, policy, verify)).toThrow("is not the quorum");
    const withoutLog = formatNote(text, [...signatures.slice(0, 1), ...signatures.slice(2)]);
    expect(() => verifyCosignedCheckpoint(withoutLog, policy, verify)).toThrow("no signature by a known key");
  });
});

test("another kind of key cosigns no tree, and an ML-DSA-44 key signs no plain note", () => {
  expect(() => cosignSubtree({ tree, time: 1, signer: classic })).toThrow(TypeError);
  expect(() => signNote(text, [postQuantum])).toThrow(TypeError);
});
