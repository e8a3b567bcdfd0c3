import type { KeyObject } from "node:crypto";

const maxKeys = 1000;

/** Imports each public key once: few parties sign much, and importing a key costs as much as verifying with it. */
export function createKeyCache(importKey: (bytes: Uint8Array) => KeyObject): (bytes: Uint8Array) => KeyObject {
  const keys = new Map<string, KeyObject>();
  return (bytes) => {
    const name = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
    const known = keys.get(name);
    if (known !== undefined) return known;
    const key = importKey(bytes);
    if (keys.size >= maxKeys) keys.clear();
    keys.set(name, key);
    return key;
  };
}
