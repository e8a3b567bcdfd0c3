import type { Entry } from "@quorate/attestation/log-statement";

/** What an entry says, and its index in the log. Its signatures have been verified. */
export type LoggedEntry = { readonly index: number; readonly entry: Pick<Entry, "digest" | "statement"> };
