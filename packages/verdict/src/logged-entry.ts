import type { Entry } from "@quorate/attestation/log-statement";

/** An entry and its index in the log. Its signatures have been verified. */
export type LoggedEntry = { readonly index: number; readonly entry: Entry };
