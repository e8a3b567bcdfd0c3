import { escapePath } from "@quorate/attestation/path-text";

/** Text that others may have chosen, as part of a line: what would end the line or move a cursor is percent-encoded, as in paths. */
export function escapeForLine(text: string): string {
  return escapePath(text).replaceAll("%20", " ");
}
