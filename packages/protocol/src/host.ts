import { z } from "zod";
import { sha256Of } from "./digest.ts";

/** A host that reports what its processes run, by its key. */
export const hostIdSchema = z
  .string()
  .regex(/^[0-9a-f]{32}$/, "must be 32 hexadecimal digits")
  .brand("HostId");
export type HostId = z.infer<typeof hostIdSchema>;

/** The first 32 hexadecimal digits of the SHA-256 over the host's key (SubjectPublicKeyInfo, DER). */
export function hostIdOf(spkiDer: Uint8Array): HostId {
  return hostIdSchema.parse(sha256Of(spkiDer).slice(0, 32));
}
