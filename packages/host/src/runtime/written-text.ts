import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import type { CodeMapping } from "./process-maps.ts";
import { mappingName } from "./process-maps.ts";

/** What became of a file's text in the memory of a process. */
export type WrittenText = "text-modified" | "text-was-modified";

/** Bits 61 to 63 of an entry, in its last byte: page of a file, swapped, present (Documentation/admin-guide/mm/pagemap.rst). */
const [ofFile, inMemory] = [0x20, 0xc0];
const entryBytes = 8;
/** So many pages of a mapping are looked at: more than any program's text has. */
const maxPages = 262_144;

const pageBytes = pageSizeOf(readFileSync("/proc/self/auxv"));
const entries = Buffer.alloc(maxPages * entryBytes);

/**
 * Whether pages of a file's text were written to in this process. The kernel then gives the process a copy of its own, which stays after the
 * same bytes are written back; no page that was only read is ever such a copy.
 */
export function findWrittenText(proc: string, mappings: readonly CodeMapping[]): WrittenText | undefined {
  let worst: WrittenText | undefined;
  const pagemap = openSync(`${proc}/pagemap`, "r");
  try {
    for (const mapping of mappings) {
      const pages = ownPages(pagemap, mapping);
      if (pages.length === 0) continue;
      if (differs(proc, mapping, pages)) return "text-modified";
      worst = "text-was-modified";
    }
  } finally {
    closeSync(pagemap);
  }
  return worst;
}

/** Addresses of pages that are in memory and no longer the file's. */
function ownPages(pagemap: number, { startAddress, endAddress }: CodeMapping): number[] {
  const count = Math.min(maxPages, (endAddress - startAddress) / pageBytes);
  const length = readSync(pagemap, entries, 0, count * entryBytes, (startAddress / pageBytes) * entryBytes);
  const pages: number[] = [];
  for (let at = entryBytes - 1; at < length; at += entryBytes) {
    const bits = entries[at] ?? 0;
    if ((bits & inMemory) !== 0 && (bits & ofFile) === 0) pages.push(startAddress + ((at - entryBytes + 1) / entryBytes) * pageBytes);
  }
  return pages;
}

function differs(proc: string, mapping: CodeMapping, pages: readonly number[]): boolean {
  const memory = openSync(`${proc}/mem`, "r");
  const file = openSync(`${proc}/map_files/${mappingName(mapping)}`, "r");
  try {
    return pages.some((address) => {
      const [inProcess, inFile] = [Buffer.alloc(pageBytes), Buffer.alloc(pageBytes)];
      readSync(memory, inProcess, 0, pageBytes, address);
      readSync(file, inFile, 0, pageBytes, mapping.offsetBytes + address - mapping.startAddress);
      return !inProcess.equals(inFile);
    });
  } finally {
    closeSync(memory);
    closeSync(file);
  }
}

/** The auxiliary vector is pairs of words, getauxval(3); AT_PAGESZ is 6. */
function pageSizeOf(vector: Buffer): number {
  for (let at = 0; at + 16 <= vector.length; at += 16) if (vector.readBigUInt64LE(at) === 6n) return Number(vector.readBigUInt64LE(at + 8));
  return 4096;
}
