import { createHash } from "node:crypto";

export type Measured = {
  register?: number;
  template?: "ima-ng" | "ima-sig";
  algorithm?: string;
  /** In hexadecimal. */
  digest: string;
  path: string;
  isViolation?: boolean;
};

/** An entry as the kernel writes it. */
export function formatMeasurement(measured: Measured): Uint8Array {
  const { register = 10, template = "ima-ng", isViolation = false } = measured;
  const data = templateDataOf(measured);
  const templateHash = isViolation ? Buffer.alloc(20) : createHash("sha1").update(data).digest();
  return Buffer.concat([number(register), templateHash, counted(Buffer.from(template)), counted(data)]);
}

export function templateDataOf({ template = "ima-ng", algorithm = "sha256", digest, path }: Measured): Buffer {
  const fields = [Buffer.concat([Buffer.from(`${algorithm}:\0`), Buffer.from(digest, "hex")]), Buffer.from(`${path}\0`)];
  return Buffer.concat([...fields, ...(template === "ima-sig" ? [Buffer.alloc(0)] : [])].map(counted));
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function counted(bytes: Buffer): Buffer {
  return Buffer.concat([number(bytes.length), bytes]);
}
