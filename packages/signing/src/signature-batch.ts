/** What one signature is verified with: the arguments of `VerifySignature`. */
export type SignatureCheck = { readonly spki: Uint8Array; readonly message: Uint8Array; readonly signature: Uint8Array };

const lengthBytes = 4;

/** Checks in one piece of memory, which moves between threads without a copy: each part's length, big-endian, and its bytes. */
export function formatSignatureBatch(checks: readonly SignatureCheck[]): Uint8Array<ArrayBuffer> {
  const parts = checks.flatMap(({ spki, message, signature }) => [spki, message, signature]);
  const batch = new Uint8Array(parts.reduce((size, part) => size + lengthBytes + part.length, 0));
  const view = new DataView(batch.buffer);
  let end = 0;
  for (const part of parts) {
    view.setUint32(end, part.length);
    batch.set(part, end + lengthBytes);
    end += lengthBytes + part.length;
  }
  return batch;
}

/** The inverse of `formatSignatureBatch`. */
export function* parseSignatureBatch(batch: Uint8Array): Generator<SignatureCheck> {
  const view = new DataView(batch.buffer, batch.byteOffset);
  let end = 0;
  const next = (): Uint8Array => {
    const start = end + lengthBytes;
    end = start + view.getUint32(end);
    return batch.subarray(start, end);
  };
  while (end < batch.length) yield { spki: next(), message: next(), signature: next() };
}
