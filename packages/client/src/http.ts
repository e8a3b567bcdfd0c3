import { type Problem, problemSchema } from "@quorate/protocol/problem";
import type { z } from "zod";

/** The server answered, and the answer is an error. `problem` is its RFC 9457 body, if it sent one. */
export class ApiError extends Error {
  readonly status: number;
  readonly problem: Problem | undefined;
  /** What the server asks a client to wait before it tries again. */
  readonly retryAfterSeconds: number | undefined;

  constructor(doing: string, answer: { status: number; problem?: Problem | undefined; retryAfterSeconds?: number | undefined }) {
    super(`${doing}: ${reasonOf(answer.status, answer.problem)}`);
    this.name = "ApiError";
    this.status = answer.status;
    this.problem = answer.problem;
    this.retryAfterSeconds = answer.retryAfterSeconds;
  }

  /** Whether the server says that it is this problem, by the last part of its type: "dismissed". */
  isProblem(name: string): boolean {
    return this.problem?.type.split("/").at(-1) === name;
  }
}

/** No usable answer: nothing listens there, the connection broke, the deadline passed, or the answer is not what was agreed. */
export class ConnectionError extends Error {
  constructor(doing: string, reason: string, options?: { cause?: unknown }) {
    super(`${doing}: ${reason}`, options);
    this.name = "ConnectionError";
  }
}

export type HttpRequest = {
  /** What is being done, for error messages: "reading the log's checkpoint". */
  doing: string;
  url: string | URL;
  method?: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  headers?: Record<string, string>;
  token?: string | undefined;
  body?: Uint8Array<ArrayBuffer> | string | Blob;
  signal?: AbortSignal | undefined;
  /** From the request to the last byte of the answer. */
  deadlineSeconds?: number;
  maxBytes?: number;
};

export type HttpAnswer = { status: number; headers: Headers; bytes: Uint8Array };

const defaultDeadlineSeconds = 30;
const defaultMaxBytes = 16 * 2 ** 20;

/**
 * One request with a deadline and a bound on the answer's size.
 *
 * @throws ApiError when the server answers with a status of 400 or more
 * @throws ConnectionError when there is no usable answer
 */
export async function request(options: HttpRequest): Promise<HttpAnswer> {
  const deadline = AbortSignal.timeout((options.deadlineSeconds ?? defaultDeadlineSeconds) * 1000);
  const signal = options.signal ? AbortSignal.any([options.signal, deadline]) : deadline;
  try {
    const response = await send(options, signal);
    const bytes = await readBounded(response, options.maxBytes ?? defaultMaxBytes, options.doing);
    if (response.status >= 400) throw apiErrorOf(options.doing, response, bytes);
    return { status: response.status, headers: response.headers, bytes };
  } catch (cause) {
    throw connectionErrorOf(options, cause, deadline.aborted);
  }
}

/** As `request`, and the answer is JSON that `schema` accepts. */
export async function requestJson<Schema extends z.ZodType>(options: HttpRequest, schema: Schema): Promise<z.output<Schema>> {
  const { bytes } = await request({ ...options, headers: { accept: "application/json", ...options.headers } });
  return parseJsonAnswer(options.doing, new TextDecoder().decode(bytes), schema);
}

export function parseJsonAnswer<Schema extends z.ZodType>(doing: string, text: string, schema: Schema): z.output<Schema> {
  const parsed = schema.safeParse(jsonOrUndefined(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new ConnectionError(doing, `the answer is not what this version expects (${issue?.path.join(".") || "body"}: ${issue?.message})`, {
    cause: parsed.error,
  });
}

/** Sends the request and returns the response with its body unread. `signal` ends the body too. */
export function send(options: HttpRequest, signal: AbortSignal): Promise<Response> {
  const headers = new Headers(options.headers);
  if (options.token !== undefined) headers.set("authorization", `Bearer ${options.token}`);
  const init: RequestInit = { method: options.method ?? "GET", headers, signal, redirect: "error" };
  if (options.body !== undefined) init.body = options.body;
  return fetch(options.url, init);
}

async function readBounded(response: Response, maxBytes: number, doing: string): Promise<Uint8Array> {
  if (response.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.length;
    if (size > maxBytes) throw new ConnectionError(doing, `the answer is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] ? chunks[0] : new Uint8Array(Buffer.concat(chunks));
}

export function apiErrorOf(doing: string, response: Response, bytes: Uint8Array): ApiError {
  const problem = problemSchema.safeParse(jsonOrUndefined(new TextDecoder().decode(bytes)));
  const retryAfter = response.headers.get("retry-after");
  return new ApiError(doing, {
    status: response.status,
    problem: problem.success ? problem.data : undefined,
    retryAfterSeconds: retryAfter !== null && /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) : undefined,
  });
}

export function connectionErrorOf(options: HttpRequest, cause: unknown, deadlinePassed: boolean): unknown {
  if (cause instanceof ApiError || cause instanceof ConnectionError) return cause;
  if (options.signal?.aborted) return cause;
  const host = new URL(options.url).host;
  if (deadlinePassed) {
    return new ConnectionError(options.doing, `no answer from ${host} within ${options.deadlineSeconds ?? defaultDeadlineSeconds} s`, {
      cause,
    });
  }
  return new ConnectionError(options.doing, `no connection to ${host}: ${innermostMessage(cause)}`, { cause });
}

/** `fetch` hides the reason ("connect ECONNREFUSED …") in the cause of a "fetch failed". */
function innermostMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : innermostMessage(error.cause);
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function reasonOf(status: number, problem: Problem | undefined): string {
  if (!problem) return `the server answered with status ${status}`;
  return problem.detail ?? problem.title;
}

/** With its `?`, of what is defined; nothing when nothing is. */
export function queryOf(query: Record<string, string | number | boolean | undefined>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, String(value));
  return parameters.size === 0 ? "" : `?${parameters.toString()}`;
}
