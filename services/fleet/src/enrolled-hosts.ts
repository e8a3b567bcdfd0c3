import { readFile } from "node:fs/promises";
import { parseP256Spki } from "@quorate/attestation/p256";
import { type HostId, hostIdOf } from "@quorate/protocol/host";
import { ParseError } from "@quorate/protocol/parse-error";
import { parseBase64 } from "@quorate/tlog/base64";
import { boundedText } from "@quorate/tlog/bounded-text";

export type EnrolledHost = { readonly id: HostId; readonly name: string; readonly spki: Uint8Array };
export type EnrolledHosts = ReadonlyMap<HostId, EnrolledHost>;

const maxFileBytes = 16 * 2 ** 20;
const hostLine = /^host ([A-Za-z0-9][A-Za-z0-9._-]{0,252}) ([A-Za-z0-9+/]+=*)$/;

/** @throws Error naming the file and what is wrong with it */
export async function loadEnrolledHosts(path: string): Promise<EnrolledHosts> {
  try {
    return parseEnrolledHosts(await readFile(path));
  } catch (cause) {
    throw new Error(`reading the enrolled hosts from ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/**
 * The hosts whose reports are taken: names, and keys in base64 (SubjectPublicKeyInfo, DER). A key is in it once. `#` begins a remark.
 *
 *     host web1.example MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE…
 *
 * @throws ParseError
 */
function parseEnrolledHosts(body: Uint8Array | string): EnrolledHosts {
  const hosts = new Map<HostId, EnrolledHost>();
  for (const line of boundedText("enrolled hosts", body, maxFileBytes).split("\n")) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const [, name, key] = hostLine.exec(line) ?? [];
    if (name === undefined || key === undefined) throw new ParseError("line of enrolled hosts", line);
    const spki = parseBase64("key of a host", key);
    parseP256Spki(spki);
    const id = hostIdOf(spki);
    if (hosts.has(id)) throw new ParseError("enrolled hosts with distinct keys", line);
    hosts.set(id, { id, name, spki });
  }
  return hosts;
}
