import type { Sha256 } from "@quorate/protocol/digest";
import { sha256Of } from "@quorate/protocol/digest";
import { utf8 } from "@quorate/protocol/utf8";
import { open } from "node:fs/promises";
import type { LocalFile } from "./executor.ts";

export type LogContent = { sizeBytes: number; sha256: Sha256; content: Uint8Array | { path: string } };

/** The log as it is; one of more than `maxBytes` without its middle, with a line that says so. The end of a build says most. */
export async function cutLog(log: LocalFile, maxBytes: number): Promise<LogContent> {
  if (log.sizeBytes <= maxBytes) return { sizeBytes: log.sizeBytes, sha256: log.sha256, content: { path: log.path } };
  const headBytes = Math.floor(maxBytes / 4);
  const tailBytes = maxBytes - headBytes;
  const notice = utf8(`\n[${log.sizeBytes - maxBytes} bytes of the build log are left out here]\n`);
  await using file = await open(log.path, "r");
  const read = async (length: number, position: number): Promise<Uint8Array> => {
    const { buffer, bytesRead } = await file.read(new Uint8Array(length), 0, length, position);
    return buffer.subarray(0, bytesRead);
  };
  const parts = [await read(headBytes, 0), notice, await read(tailBytes, log.sizeBytes - tailBytes)];
  const content = new Uint8Array(Buffer.concat(parts));
  return { sizeBytes: content.length, sha256: sha256Of(content), content };
}
