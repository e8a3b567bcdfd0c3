import type { Problem } from "@quorate/protocol/problem";

export const problemMediaType = "application/problem+json";

const typePrefix = "https://quorate.dev/problems/";

/**
 * An answer that is not a success. Routes throw it; the HTTP app writes it as problem+json. `kind` (such as `unknown-target`) becomes the end of
 * `type` and, in words, the title; `detail` says what was wrong with what, and what to do next.
 */
export class ProblemError extends Error {
  readonly status: number;
  readonly kind: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly extensions: Readonly<Record<string, unknown>>;

  constructor(status: number, kind: string, detail: string, more: ProblemOptions = {}) {
    super(detail, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = "ProblemError";
    this.status = status;
    this.kind = kind;
    this.headers = more.headers ?? {};
    this.extensions = more.extensions ?? {};
  }

  get problem(): Problem {
    return { ...this.extensions, type: typePrefix + this.kind, title: titleOf(this.kind), status: this.status, detail: this.message };
  }
}

export type ProblemOptions = { headers?: Record<string, string>; extensions?: Record<string, unknown>; cause?: unknown };

function titleOf(kind: string): string {
  const words = kind.replaceAll("-", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
