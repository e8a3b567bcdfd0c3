export type NotStagedReason = "disk-full" | "store-unavailable";

const sentences: Readonly<Record<NotStagedReason, string>> = {
  "disk-full": "the log's disk is full",
  "store-unavailable": "the log's object store does not take what is written",
};

/** Thrown when a record could not be staged and no harm was done: the caller may go on with another. */
export class NotStagedError extends Error {
  readonly reason: NotStagedReason;

  constructor(reason: NotStagedReason, options: { cause: unknown }) {
    super(sentences[reason], options);
    this.name = "NotStagedError";
    this.reason = reason;
  }
}
