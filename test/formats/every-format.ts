import { attestationFormats } from "./attestation-formats.ts";
import { debianFormats } from "./debian-formats.ts";
import type { Format } from "./format.ts";
import { clientFormats, protocolFormats } from "./protocol-formats.ts";
import { tlogFormats } from "./tlog-formats.ts";
import { verdictFormats } from "./verdict-formats.ts";

/** Every format that something from outside is read in. */
export const everyFormat: readonly Format[] = [
  ...tlogFormats,
  ...attestationFormats,
  ...debianFormats,
  ...protocolFormats,
  ...clientFormats,
  ...verdictFormats,
];
