import { type KeyObject, createPrivateKey, randomUUID } from "node:crypto";
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

const maxKeyFileBytes = 10_000;

/**
 * Reads a private key's file.
 *
 * @throws Error when it cannot be read, is too large, or anybody may read it
 */
export function readKeyFile(what: string, path: string): string {
  try {
    const { size, mode } = statSync(path);
    if (size > maxKeyFileBytes) throw new Error(`it has ${size} bytes; a key file has fewer than ${maxKeyFileBytes}`);
    // A group may read it: that is how orchestrators mount secrets.
    if ((mode & 0o027) !== 0) throw new Error(`others than its owner may change or read it; run: chmod 600 ${path}`);
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new Error(`loading ${what} from ${path}: ${messageOf(cause)}`, { cause });
  }
}

/**
 * Writes a new private key's file, readable by its owner alone. After it returns the key survives a crash; a file that exists is never
 * touched, since a key that was overwritten is an identity that is lost.
 *
 * @throws Error when the file exists or cannot be written
 */
export function createKeyFile(what: string, path: string, text: string): void {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    writeDurably(temporary, text);
    try {
      // A link, unlike a rename, fails when the name is taken.
      linkSync(temporary, path);
    } finally {
      unlinkSync(temporary);
    }
    syncDirectory(dirname(path));
  } catch (cause) {
    throw new Error(`creating ${what} at ${path}: ${messageOf(cause)}`, { cause });
  }
}

/** PEM, PKCS #8; encrypted (PBES2, AES-256) when there is a passphrase. */
export function formatKeyPem(privateKey: KeyObject, passphrase?: string): string {
  const encryption = passphrase === undefined ? {} : { cipher: "aes-256-cbc", passphrase };
  return privateKey.export({ type: "pkcs8", format: "pem", ...encryption }).toString();
}

/** A key that is there, and that the passphrase does not open. */
class LockedKeyError extends Error {}

/** The inverse of `formatKeyPem`. @throws Error when it is no such PEM, or the passphrase is wrong or missing */
export function parseKeyPem(pem: string, passphrase?: string): KeyObject {
  const isEncrypted = pem.includes("-----BEGIN ENCRYPTED PRIVATE KEY-----");
  if (isEncrypted && passphrase === undefined)
    throw new LockedKeyError("it is encrypted, and no passphrase is given; name the file that holds it with --passphrase-file");
  try {
    return createPrivateKey({ key: pem, ...(passphrase === undefined ? {} : { passphrase }) });
  } catch (cause) {
    if (isEncrypted) throw new LockedKeyError("it cannot be decrypted: the passphrase is another one, or the file is damaged", { cause });
    throw new Error("it holds no private key", { cause });
  }
}

/** Why a key file could not be used, for whoever has it. */
export function keyFileError({ path, algorithm }: { path: string; algorithm: string }, cause: unknown): Error {
  const reason = cause instanceof LockedKeyError ? cause.message : `it is no PEM file of a private key of ${algorithm} (PKCS #8)`;
  return new Error(`loading the key ${path}: ${reason}`, { cause: cause instanceof LockedKeyError ? cause.cause : cause });
}

function writeDurably(path: string, text: string): void {
  const file = openSync(path, "wx", 0o600);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function syncDirectory(path: string): void {
  const directory = openSync(path, "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
