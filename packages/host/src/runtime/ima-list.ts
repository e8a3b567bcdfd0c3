import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { type Sha256, parseSha256 } from "@quorate/protocol/digest";
import { ParseError } from "@quorate/protocol/parse-error";
import type { ImaEvidence } from "@quorate/protocol/runtime";
import type { KnownPrograms } from "./known-programs.ts";

/** One entry of the kernel's list: what it extended a register of the TPM with, and the file that it had read. */
export type Measurement = {
  /** Number of the register (PCR). */
  readonly register: number;
  /** The file may have changed while it was measured: its digest is not known. */
  readonly isViolation: boolean;
  /** The bytes whose digest the register was extended with. */
  readonly data: Uint8Array;
  /** Of a file, if that is what was measured, and with SHA-256. */
  readonly sha256?: Sha256;
};

const maxListBytes = 64 * 2 ** 20;
const maxDataBytes = 65_536;
const maxTemplateBytes = 32;
const templateHashBytes = 20;
const imaRegister = 10;

/** Where the kernel shows its list below a root. Not the list in text beside it: a file's name may hold a line break, and so a forged line. */
const listPath = "sys/kernel/security/ima/binary_runtime_measurements";

/** The list of a root's kernel. @throws the system's error when there is none, or it cannot be read; ParseError */
export async function loadImaList(root: string): Promise<readonly Measurement[]> {
  await using file = await open(`${root}/${listPath}`);
  // The kernel does not say how long it is.
  const chunks: Buffer[] = await file.createReadStream({ end: maxListBytes, autoClose: false }).toArray();
  return parseImaList(Buffer.concat(chunks));
}

/**
 * `binary_runtime_measurements` (Linux, Documentation/security/IMA-templates.rst): entries of register, SHA-1 of the data (zero for a violation),
 * name of the template, and data, each number in 32 bits, little-endian. Only files of the templates `ima-ng` and `ima-sig` are read further.
 *
 * @throws ParseError, also for the template `ima`, whose data has no length
 */
export function parseImaList(list: Uint8Array): readonly Measurement[] {
  if (list.length > maxListBytes) throw new ParseError(`list of measurements of at most ${maxListBytes} bytes`, `${list.length} bytes`);
  const fields = new Fields(list);
  const measurements: Measurement[] = [];
  while (!fields.isAtEnd) {
    const register = fields.number();
    const isViolation = fields.take(templateHashBytes).every((byte) => byte === 0);
    const template = Buffer.from(fields.takeCounted(maxTemplateBytes)).toString("latin1");
    if (template === "ima") throw new ParseError("list of measurements of a template with lengths", template);
    const data = fields.takeCounted(maxDataBytes);
    const sha256 = isViolation ? undefined : fileDigest(template, data);
    measurements.push({ register, isViolation, data, ...(sha256 === undefined ? {} : { sha256 }) });
  }
  return measurements;
}

/** What a list comes to: how many of the files in it were rebuilt, and the value of register 10 in the bank SHA-256, from which a quote tells. */
export function weighMeasurements(measurements: readonly Measurement[], known: Pick<KnownPrograms, "find">): ImaEvidence {
  const files = measurements.flatMap(({ sha256 }) => sha256 ?? []);
  const verified = files.filter((sha256) => known.find(sha256) !== undefined).length;
  const pcr10 = measurements
    .filter(({ register }) => register === imaRegister)
    .reduce<Uint8Array>((value, measurement) => digest(value, extensionOf(measurement)), new Uint8Array(32));
  return {
    entries: measurements.length,
    verified,
    unverified: files.length - verified,
    violations: measurements.filter(({ isViolation }) => isViolation).length,
    pcr10: parseSha256(Buffer.from(pcr10).toString("hex")),
  };
}

/** A violation is in the list with zeros, and makes the register another one than any list without it would. */
function extensionOf({ isViolation, data }: Measurement): Uint8Array {
  return isViolation ? new Uint8Array(32).fill(0xff) : digest(data);
}

function digest(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** Data of `ima-ng`: `sha256:` NUL digest, path NUL; `ima-sig` has a signature behind them, which may be empty. A path begins with `/`, other events' names do not. */
function fileDigest(template: string, data: Uint8Array): Sha256 | undefined {
  if (template !== "ima-ng" && template !== "ima-sig") return undefined;
  const fields = new Fields(data);
  const named = Buffer.from(fields.takeCounted(maxDataBytes));
  const path = Buffer.from(fields.takeCounted(maxDataBytes));
  if (template === "ima-sig") fields.takeCounted(maxDataBytes);
  const end = named.indexOf(0);
  const algorithm = named.toString("latin1", 0, Math.max(end, 0));
  if (!fields.isAtEnd || !/^[a-z0-9-]+:$/.test(algorithm) || path.indexOf(0) !== path.length - 1)
    throw new ParseError(`measurement of the template ${template}`, Buffer.from(data).toString("hex"));
  if (algorithm !== "sha256:" || path.at(0) !== 0x2f) return undefined;
  return parseSha256(named.toString("hex", end + 1));
}

/** Reads bytes from the front. */
class Fields {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at)
      throw new ParseError("list of measurements (a whole entry)", `${length} bytes from ${this.#at} on, of ${this.#bytes.length}`);
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  number(): number {
    const { buffer, byteOffset } = this.take(4);
    return new DataView(buffer, byteOffset).getUint32(0, true);
  }

  takeCounted(max: number): Uint8Array {
    const length = this.number();
    if (length > max) throw new ParseError(`list of measurements (a field of at most ${max} bytes)`, `${length} bytes`);
    return this.take(length);
  }
}
