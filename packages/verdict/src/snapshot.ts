import { parseJson } from "@quorate/attestation/json-text";
import { parseNoun } from "@quorate/attestation/parse-noun";
import { formatCanonicalJson } from "@quorate/protocol/canonical-json";
import { sha256Schema } from "@quorate/protocol/digest";
import { textSchema } from "@quorate/protocol/names";
import { boundedText } from "@quorate/tlog/bounded-text";
import { maxNoteBytes } from "@quorate/tlog/note";
import { z } from "zod";

export const snapshotFormat = "https://quorate.dev/snapshot/v1";

const maxSnapshotBytes = 67_108_864;

const snapshotSchema = z.strictObject({
  format: z.literal(snapshotFormat),
  /** The checkpoint that it was made at, as a signed note with its cosignatures. */
  checkpoint: textSchema(maxNoteBytes),
  /** SHA-256 of the text of the policy under which it was verified. */
  policy: sha256Schema,
  /** SHA-256 of the list of artifacts: `formatSnapshotArtifact` a line, sorted by their bytes. */
  artifacts: sha256Schema,
  /** Indices of the entries that verdicts to come may rest on. */
  carried: z.array(z.int().min(0)).max(5_000_000),
});

/** The state of a host's verdicts: one file that is replaced when all that it names is there. */
export type Snapshot = z.infer<typeof snapshotSchema>;

/**
 * A snapshot's own file.
 *
 *     {"artifacts":"9f86…","carried":[0,1,2],"checkpoint":"log.example\n70000\n…","format":"https://quorate.dev/snapshot/v1","policy":"2c26…"}
 *
 * @throws ParseError
 */
export function parseSnapshot(body: Uint8Array | string): Snapshot {
  return parseNoun(snapshotSchema, "snapshot", parseJson("snapshot", boundedText("snapshot", body, maxSnapshotBytes)));
}

/** The inverse of `parseSnapshot`. */
export function formatSnapshot(snapshot: Snapshot): string {
  return `${formatCanonicalJson(snapshot)}\n`;
}
