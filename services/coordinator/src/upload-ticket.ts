import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { jobIdSchema } from "@quorate/protocol/job";
import { writeDurableFile } from "@quorate/service/durable-file";

/** Upload tickets: `<job>.<HMAC-SHA-256 of it, base64url>`. They need no storage, and the same job always has the same ticket. */
export type UploadTickets = {
  issue(job: string): string;
  /** The job that a ticket was issued for; `undefined` for anything that was not. */
  verify(ticket: string): string | undefined;
};

export function createUploadTickets(secret: Uint8Array): UploadTickets {
  const codeOf = (job: string) => createHmac("sha256", secret).update(`quorate/upload-ticket/v1\n${job}`).digest();
  return {
    issue: (job) => `${job}.${codeOf(job).toString("base64url")}`,
    verify(ticket) {
      const match = /^([0-9a-f-]{65})\.([A-Za-z0-9_-]{43})$/.exec(ticket);
      if (!match?.[1] || !match[2] || !jobIdSchema.safeParse(match[1]).success) return undefined;
      return timingSafeEqual(codeOf(match[1]), Buffer.from(match[2], "base64url")) ? match[1] : undefined;
    },
  };
}

/** The secret in a data directory, made when missing. */
export async function loadTicketSecret(directory: string): Promise<Uint8Array> {
  const path = join(directory, "upload-ticket.key");
  const existing = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (existing?.length === 32) return existing;
  if (existing) throw new Error(`reading ${path}: it must hold 32 bytes; delete it to have a new one made (open uploads are then refused)`);
  const secret = randomBytes(32);
  await writeDurableFile(path, secret, { mode: 0o600 });
  return secret;
}
