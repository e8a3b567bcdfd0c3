import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ParseError } from "@quorate/protocol/parse-error";
import { utf8 } from "@quorate/protocol/utf8";
import { verifyEd25519Portable } from "@quorate/tlog/portable-ed25519";
import { formatVkey, parseNote, parseVkey, signNote, verifyNote } from "@quorate/tlog/note";
import { verifyNoteSignaturePortable } from "@quorate/tlog/portable-note-verify";
import { afterAll, describe, expect, test } from "vitest";
import { createNoteKey, loadNoteKey, parseNoteKey, verifyNoteSignature } from "./note-key.ts";

const directory = mkdtempSync(join(tmpdir(), "quorate-note-"));
afterAll(() => rmSync(directory, { recursive: true }));

/** The key of the examples in Go's golang.org/x/mod/sumdb/note. */
const goPrivateKey = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const goVerifierKey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

describe("note keys", () => {
  test("a key of Go's note package is read, and gives Go's verifier key and signature", () => {
    const signer = parseNoteKey(goPrivateKey);
    expect(formatVkey(signer.key)).toBe(goVerifierKey);
    const text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    const signed = `${text}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n`;
    expect(signNote(text, [signer])).toBe(signed);
    expect(verifyNote(parseNote(signed), [parseVkey(goVerifierKey)], verifyNoteSignature).text).toBe(text);
  });

  test.each(["ed25519", "cosignature"] as const)("a created %s key loads as the same key", (algorithm) => {
    const path = join(directory, algorithm);
    const created = createNoteKey(path, "log.example/2026", algorithm);
    const loaded = loadNoteKey(path);
    expect(loaded.key).toEqual(created.key);
    expect(loaded.key.algorithm).toBe(algorithm);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const message = utf8("message");
    expect(verifyNoteSignature(created.key.publicKey, message, loaded.sign(message))).toBe(true);
    expect(verifyEd25519Portable(created.key.publicKey, message, loaded.sign(message))).toBe(true);
    expect(verifyNoteSignature(created.key.publicKey, utf8("massage"), loaded.sign(message))).toBe(false);
  });

  test("a created ml-dsa-44 key loads as the same key, and what it signs verifies in OpenSSL and in portable code", () => {
    const path = join(directory, "ml-dsa-44");
    const created = createNoteKey(path, "log.example/2026", "ml-dsa-44");
    const { key, sign } = loadNoteKey(path);
    expect(key).toEqual(created.key);
    expect(parseVkey(formatVkey(key))).toEqual(key);
    const message = utf8("message");
    const signature = sign(message);
    expect([key.publicKey.length, signature.length]).toEqual([1312, 2420]);
    for (const verify of [verifyNoteSignature, verifyNoteSignaturePortable]) {
      expect(verify(key.publicKey, message, signature)).toBe(true);
      expect(verify(key.publicKey, utf8("massage"), signature)).toBe(false);
      expect(verify(key.publicKey, message, signature.with(1000, (signature[1000] ?? 0) ^ 1))).toBe(false);
      expect(verify(key.publicKey.with(7, (key.publicKey[7] ?? 0) ^ 1), message, signature)).toBe(false);
      expect(verify(new Uint8Array(1312).fill(255), message, new Uint8Array(2420).fill(255))).toBe(false);
      expect(verify(key.publicKey, message, signature.subarray(1))).toBe(false);
    }
  });

  test("an existing file is never overwritten", () => {
    const path = join(directory, "kept");
    createNoteKey(path, "log.example", "ed25519");
    const before = readFileSync(path, "utf8");
    expect(() => createNoteKey(path, "log.example", "ed25519")).toThrow(/EEXIST/);
    expect(readFileSync(path, "utf8")).toBe(before);
  });

  test.each([
    ["a name with a space", () => createNoteKey(join(directory, "name"), "my log", "ed25519")],
    ["another key ID", () => parseNoteKey(goPrivateKey.replace("c74f20a3", "c74f20a4"))],
    ["an unknown type", () => parseNoteKey(goPrivateKey.replace("+AYEK", "+AoEK"))],
    ["a verifier key", () => parseNoteKey(goVerifierKey)],
  ])("%s is refused", (_, use) => {
    expect(use).toThrow(ParseError);
  });

  test("the message about a broken file names the file and never shows the key", () => {
    const path = join(directory, "broken");
    writeFileSync(path, goPrivateKey.replace("c74f20a3", "c74f20a4"), { mode: 0o600 });
    const load = () => loadNoteKey(path);
    expect(load).toThrow(path);
    expect(load).not.toThrow(/AYEKFALV/);
  });
});
