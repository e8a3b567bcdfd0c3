import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ParseError } from "@quorate/protocol/parse-error";
import { utf8 } from "@quorate/protocol/utf8";
import { verifyEd25519Portable } from "@quorate/tlog/portable-ed25519";
import { formatVkey, parseNote, parseVkey, signNote, verifyNote } from "@quorate/tlog/note";
import { afterAll, describe, expect, test } from "vitest";
import { createNoteKey, loadNoteKey, parseNoteKey, verifyEd25519 } from "./note-key.ts";

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
    expect(verifyNote(parseNote(signed), [parseVkey(goVerifierKey)], verifyEd25519).text).toBe(text);
  });

  test.each(["ed25519", "cosignature"] as const)("a created %s key loads as the same key", (algorithm) => {
    const path = join(directory, algorithm);
    const created = createNoteKey(path, "log.example/2026", algorithm);
    const loaded = loadNoteKey(path);
    expect(loaded.key).toEqual(created.key);
    expect(loaded.key.algorithm).toBe(algorithm);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const message = utf8("message");
    expect(verifyEd25519(created.key.publicKey, message, loaded.sign(message))).toBe(true);
    expect(verifyEd25519Portable(created.key.publicKey, message, loaded.sign(message))).toBe(true);
    expect(verifyEd25519(created.key.publicKey, utf8("massage"), loaded.sign(message))).toBe(false);
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
