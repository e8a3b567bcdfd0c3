import type { LogReader } from "@quorate/client/log-reader";
import { ProblemError } from "@quorate/service/problem";
import { formatBundle } from "@quorate/signing/bundle";
import { formatTlogEntry } from "@quorate/signing/tlog-entry";
import type { NoteKey } from "@quorate/tlog/note";
import type { BlobStore } from "./blob-store.ts";
import type { Queries } from "./database.ts";
import { loadEntry } from "./large-envelope.ts";
import { identityKeyAt, recordOf } from "./result-record.ts";
import { findRecordedResult } from "./store/builds.ts";
import { findOperator } from "./store/operators.ts";

/** A result as a Sigstore bundle with the record of its signature in the log. */
export type LoadResultBundle = (index: number) => Promise<string>;

type Dependencies = { db: Queries; blobs: Pick<BlobStore, "load">; reader: LogReader; logKey: NoteKey };

/** @throws ProblemError when there is no such result, or no checkpoint covers its record yet */
export function createResultBundleLoader({ db, blobs, reader, logKey }: Dependencies): LoadResultBundle {
  return async (index) => {
    const result = await findRecordedResult(db, index);
    const operator = result && (await findOperator(db, result.operator));
    if (!result || !operator) {
      const detail = `the entry ${index} of the log is no result whose signature is recorded; a verdict's inputs name results by index`;
      throw new ProblemError(404, "not-found", detail);
    }
    const { checkpoint, text: note } = await reader.checkpoint();
    if (checkpoint.size <= result.recordIndex) {
      const detail = `the record of result ${index} is not published yet; try again in a second`;
      throw new ProblemError(503, "not-published", detail, { headers: { "retry-after": "1" } });
    }
    const proof = await reader.inclusionProof(result.recordIndex, checkpoint.size);
    const { envelope } = await loadEntry(result.envelope, blobs);
    const record = recordOf(envelope, operator, index);
    const logged = formatTlogEntry({ record, index: result.recordIndex, proof, checkpoint, note, logKey });
    return formatBundle(envelope, identityKeyAt(operator, index), logged);
  };
}
