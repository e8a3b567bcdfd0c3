import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { digestOf } from "@quorate/attestation/nouns.fixture";
import { verifyLink } from "@quorate/attestation/in-toto-link";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createLinkKey, linkSignerOf, loadLinkKey } from "./link-key.ts";
import { verifyNoteSignature } from "./note-key.ts";
import { createP256Key } from "./p256-key.ts";

let directory: string;
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), "quorate-link-key-"))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const link = { product: { name: "mailgraph_1.14-20_all.deb", sha256: digestOf("deb"), sha512: "ab".repeat(64) } };

test("a key that was made is loaded again, is its owner's alone, and signs links that verify", () => {
  const path = join(directory, "link.pem");
  const made = createLinkKey(path);
  const loaded = loadLinkKey(path);
  expect(loaded.publicKey).toEqual(made.publicKey);
  expect(loaded.publicKey).toHaveLength(32);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(verifyLink(loaded.sign(link), made.publicKey, verifyNoteSignature)).toEqual(link);
  expect(() => createLinkKey(path)).toThrow(/EEXIST|exist/);
});

test("an identity key is no link key", () => {
  const path = join(directory, "identity.pem");
  createP256Key(path);
  expect(() => loadLinkKey(path)).toThrow(/no PEM file of a private key of Ed25519/);
  expect(() => linkSignerOf(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey)).toThrow(TypeError);
});

test("the public key is the one that OpenSSL derives", () => {
  const { privateKey } = generateKeyPairSync("ed25519");
  const spki = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  expect(Buffer.from(linkSignerOf(privateKey).publicKey)).toEqual(spki.subarray(-32));
});
