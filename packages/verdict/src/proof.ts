import { parseJson } from "@quorate/attestation/json-text";
import { parseNoun } from "@quorate/attestation/parse-noun";
import { formatCanonicalJson } from "@quorate/protocol/canonical-json";
import { sha256Schema } from "@quorate/protocol/digest";
import { maxEntryBytes, maxEnvelopeBytes } from "@quorate/protocol/entry";
import { textSchema } from "@quorate/protocol/names";
import { boundedText } from "@quorate/tlog/bounded-text";
import { maxNoteBytes } from "@quorate/tlog/note";
import { z } from "zod";

export const proofFormat = "https://quorate.dev/proof/v1";

/** The largest proof file that is read, in bytes; build traces make up most of a large one. */
export const maxProofBytes = 67_108_864;

/** Room for a committee of hundreds, and a bound on the signatures that a stranger's file makes us verify. */
const maxProofEntries = 2000;

const proofSchema = z.strictObject({
  format: z.literal(proofFormat),
  /** A checkpoint as a signed note, with its cosignatures. */
  checkpoint: textSchema(maxNoteBytes),
  entries: z
    .array(
      z.strictObject({
        index: z.int().min(0),
        /** The entry's bytes: the canonical JSON of its envelope. */
        envelope: textSchema(maxEntryBytes),
        /** Inclusion proof under the checkpoint, from the leaf's sibling up: hashes in base64. */
        inclusion: z.array(textSchema(44).length(44)).max(53),
        /** The large envelope that the entry names, when it does. */
        large: textSchema(maxEnvelopeBytes).optional(),
      }),
    )
    .min(1)
    .max(maxProofEntries),
  traces: z.array(z.strictObject({ sha256: sha256Schema, text: textSchema(maxProofBytes) })).max(maxProofEntries),
});

/** Everything that a verdict is checked with, in one file. */
export type Proof = z.infer<typeof proofSchema>;

/**
 * A proof file: a cosigned checkpoint, and under it the verdict's entry, its policy, target, round, enrolments, commitments and results; and
 * the build traces that the evaluation compares.
 *
 *     {"checkpoint":"log.example\n70000\n…","entries":[{"envelope":"{\"payload\":…}","inclusion":["47DE…="],"index":12},…],
 *      "format":"https://quorate.dev/proof/v1","traces":[{"sha256":"9f86…","text":"2c26… 4 src/main.o\n"}]}
 *
 * @throws ParseError
 */
export function parseProof(body: Uint8Array | string): Proof {
  return parseNoun(proofSchema, "proof file", parseJson("proof file", boundedText("proof file", body, maxProofBytes)));
}

/** The inverse of `parseProof`. */
export function formatProof(proof: Proof): string {
  return `${formatCanonicalJson(proof)}\n`;
}
