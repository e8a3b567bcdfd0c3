import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { parseSha256, type Sha256 } from "@quorate/protocol/digest";

export async function sha256OfFile(path: string): Promise<Sha256> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return parseSha256(hash.digest("hex"));
}
