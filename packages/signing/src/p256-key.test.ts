import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { verifyP256Portable } from "@quorate/attestation/portable-p256";
import { portableSignerOf } from "@quorate/attestation/portable-signer.fixture";
import { operatorIdOf } from "@quorate/protocol/operator";
import { utf8 } from "@quorate/protocol/utf8";
import { afterAll, describe, expect, test } from "vitest";
import { createP256Key, loadP256Key, verifyP256 } from "./p256-key.ts";

const directory = mkdtempSync(join(tmpdir(), "quorate-p256-"));
afterAll(() => rmSync(directory, { recursive: true }));
const message = utf8("message");

describe("P-256 keys", () => {
  test("a key that was created loads as the same identity", () => {
    const path = join(directory, "created.pem");
    const created = createP256Key(path);
    const loaded = loadP256Key(path);
    expect(loaded.spki).toEqual(created.spki);
    expect(loaded.operator).toBe(operatorIdOf(created.spki));
    expect(verifyP256(created.spki, message, loaded.sign(message))).toBe(true);
  });

  test("the file is its owner's alone, and nothing else stays behind", () => {
    const path = join(directory, "mode.pem");
    createP256Key(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(directory).filter((name) => name.includes(".tmp"))).toEqual([]);
  });

  test("an existing file is never overwritten", () => {
    const path = join(directory, "kept.pem");
    createP256Key(path);
    const before = readFileSync(path, "utf8");
    expect(() => createP256Key(path)).toThrow(/creating a P-256 key at .*kept\.pem: .*EEXIST/);
    expect(readFileSync(path, "utf8")).toBe(before);
    expect(readdirSync(directory).filter((name) => name.includes(".tmp"))).toEqual([]);
  });

  test("a file that everybody can read is refused, and the message says what to do", () => {
    const path = join(directory, "open.pem");
    createP256Key(path);
    chmodSync(path, 0o644);
    expect(() => loadP256Key(path)).toThrow(/chmod 600/);
  });

  test.each([
    ["missing", undefined, /ENOENT/],
    ["text", "hello", /no PEM file of a private key of P-256/],
    ["huge", "x".repeat(20_000), /20000 bytes/],
  ])("a %s file is refused", (name, content, reason) => {
    const path = join(directory, `${name}.bad`);
    if (content !== undefined) writeFileSync(path, content, { mode: 0o600 });
    expect(() => loadP256Key(path)).toThrow(reason);
  });
});

describe("P-256 signatures", () => {
  const portable = portableSignerOf("ada");

  test("OpenSSL and the portable implementation verify each other's", () => {
    const native = createP256Key(join(directory, "both.pem"));
    expect(verifyP256(portable.spki, message, portable.sign(message))).toBe(true);
    for (let round = 0; round < 10; round += 1) expect(verifyP256Portable(native.spki, message, native.sign(message))).toBe(true);
  });

  test.each([verifyP256, verifyP256Portable])("wrong messages, keys and bytes do not verify, and nothing throws", (verify) => {
    const signature = portable.sign(message);
    expect(verify(portable.spki, utf8("massage"), signature)).toBe(false);
    expect(verify(portableSignerOf("bert").spki, message, signature)).toBe(false);
    expect(verify(portable.spki, message, new Uint8Array(0))).toBe(false);
    expect(verify(new Uint8Array(91), message, signature)).toBe(false);
    expect(verify(new Uint8Array(0), message, signature)).toBe(false);
  });
});
