import { artifactListSchema, artifactViewSchema, statsSchema, type ArtifactView, type Stats } from "@quorate/protocol/artifact-view";
import type { Sha256 } from "@quorate/protocol/digest";
import type { OperatorId } from "@quorate/protocol/operator";
import { type OperatorPage, type OperatorView, operatorListSchema, operatorPageSchema } from "@quorate/protocol/operator-view";
import {
  enrolmentAnswerSchema,
  networkViewSchema,
  roundViewSchema,
  submissionViewSchema,
  type EnrolmentAnswer,
  type EnrolmentRequest,
  type NetworkView,
  type RoundState,
  type RoundView,
  type SubmissionRequest,
  type SubmissionView,
} from "@quorate/protocol/submission";
import { targetSchema, type Target } from "@quorate/protocol/target";
import { z } from "zod";
import { type HttpRequest, request, requestJson } from "./http.ts";
import { followSubmission, type SubmissionEvent } from "./submission-events.ts";

export type ApiOptions = { url: string; token?: string | undefined; deadlineSeconds?: number };

export type Cancellable = { signal?: AbortSignal | undefined };

export type ArtifactQuery = { name?: string; version?: string; architecture?: string };

/** The coordinator's public API. Every method throws ApiError or ConnectionError (http.ts). */
export interface Api {
  readonly url: string;
  /** Resolving what the distribution published may fetch its indices: this takes up to minutes the first time. */
  submit(submission: SubmissionRequest, options?: Cancellable): Promise<SubmissionView>;
  submission(id: Sha256, options?: Cancellable): Promise<SubmissionView>;
  /** Each change and the live progress, from the present state on; ends when every round has settled or the signal aborts. */
  submissionEvents(id: Sha256, options?: Cancellable): AsyncIterable<SubmissionEvent>;
  rounds(query?: { limit?: number; state?: RoundState }, options?: Cancellable): Promise<RoundView[]>;
  round(id: Sha256, options?: Cancellable): Promise<RoundView>;
  target(digest: Sha256, options?: Cancellable): Promise<Target>;
  artifacts(query: ArtifactQuery, options?: Cancellable): Promise<ArtifactView[]>;
  artifact(sha256: Sha256, options?: Cancellable): Promise<ArtifactView>;
  /** The text of a proof file, for `parseProof` of `@quorate/verdict/proof`. */
  proof(sha256: Sha256, options?: Cancellable): Promise<string>;
  network(options?: Cancellable): Promise<NetworkView>;
  operators(options?: Cancellable): Promise<OperatorView[]>;
  operator(operator: OperatorId, options?: Cancellable): Promise<OperatorPage>;
  stats(options?: Cancellable): Promise<Stats>;
  /** The token is the invitation's. */
  enrol(enrolment: EnrolmentRequest, options?: Cancellable): Promise<EnrolmentAnswer>;
}

const roundListSchema = z.object({ rounds: z.array(roundViewSchema) });
/** Below the 300 s after which Node's fetch gives up on its own. */
const submitSeconds = 280;

export function createApi(options: ApiOptions): Api {
  const { url, token, deadlineSeconds = 30 } = options;
  const get = (doing: string, path: string, signal: AbortSignal | undefined): HttpRequest => ({
    doing,
    url: `${url}${path}`,
    deadlineSeconds,
    signal,
  });
  const post = (doing: string, path: string, body: unknown): HttpRequest => ({
    doing,
    url: `${url}${path}`,
    method: "POST",
    headers: { "content-type": "application/json" },
    token,
    body: JSON.stringify(body),
  });
  return {
    url,
    submit: (submission, { signal } = {}) =>
      requestJson(
        { ...post(`submitting ${nameOf(submission)}`, "/v1/submissions", submission), signal, deadlineSeconds: submitSeconds },
        submissionViewSchema,
      ),
    submission: (id, { signal } = {}) =>
      requestJson(get(`reading submission ${id}`, `/v1/submissions/${id}`, signal), submissionViewSchema),
    submissionEvents: (id, { signal } = {}) => followSubmission({ url, id, signal }),
    async rounds(query = {}, { signal } = {}) {
      return (await requestJson(get("listing rounds", `/v1/rounds${queryOf(query)}`, signal), roundListSchema)).rounds;
    },
    round: (id, { signal } = {}) => requestJson(get(`reading round ${id}`, `/v1/rounds/${id}`, signal), roundViewSchema),
    target: (digest, { signal } = {}) => requestJson(get(`reading target ${digest}`, `/v1/targets/${digest}`, signal), targetSchema),
    async artifacts(query, { signal } = {}) {
      return (await requestJson(get("looking for artifacts", `/v1/artifacts${queryOf(query)}`, signal), artifactListSchema)).artifacts;
    },
    artifact: (sha256, { signal } = {}) =>
      requestJson(get(`reading artifact ${sha256}`, `/v1/artifacts/sha256/${sha256}`, signal), artifactViewSchema),
    async proof(sha256, { signal } = {}) {
      const { bytes } = await request(get(`fetching the proof of ${sha256}`, `/v1/artifacts/sha256/${sha256}/proof`, signal));
      return new TextDecoder().decode(bytes);
    },
    network: ({ signal } = {}) => requestJson(get("reading the network's keys and policy", "/v1/network", signal), networkViewSchema),
    async operators({ signal } = {}) {
      return (await requestJson(get("listing operators", "/v1/operators", signal), operatorListSchema)).operators;
    },
    operator: (operator, { signal } = {}) =>
      requestJson(get(`reading operator ${operator}`, `/v1/operators/${operator}`, signal), operatorPageSchema),
    stats: ({ signal } = {}) => requestJson(get("reading the network's statistics", "/v1/stats", signal), statsSchema),
    enrol: (enrolment, { signal } = {}) =>
      requestJson({ ...post("enrolling at the coordinator", "/v1/operators", enrolment), signal }, enrolmentAnswerSchema),
  };
}

function nameOf({ distribution, suite, source, version }: SubmissionRequest): string {
  return `${distribution}/${suite} ${source}${version === undefined ? "" : ` ${version}`}`;
}

function queryOf(query: Record<string, string | number | undefined>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, String(value));
  return parameters.size === 0 ? "" : `?${parameters.toString()}`;
}
