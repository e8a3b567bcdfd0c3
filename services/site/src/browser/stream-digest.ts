import { sha256 } from "@noble/hashes/sha2.js";
import { hex } from "@scure/base";

/** SHA-256 of a stream, in hexadecimal; what the browser has built in wants all of it in memory. */
export async function sha256OfStream(stream: ReadableStream<Uint8Array>, onProgress: (bytes: number) => void): Promise<string> {
  const hash = sha256.create();
  const reader = stream.getReader();
  let bytes = 0;
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    hash.update(read.value);
    bytes += read.value.length;
    onProgress(bytes);
  }
  return hex.encode(hash.digest());
}
