import {
  type NewToken,
  newTokenSchema,
  tokenListSchema,
  type TokenRequest,
  type TokenView,
  tokenViewSchema,
} from "@quorate/protocol/api-token";
import { artifactListSchema, artifactViewSchema, statsSchema, type ArtifactView, type Stats } from "@quorate/protocol/artifact-view";
import type { Sha256 } from "@quorate/protocol/digest";
import type { OperatorId } from "@quorate/protocol/operator";
import { type OperatorRecord, operatorRecordSchema } from "@quorate/protocol/operator-record";
import {
  type OperatorDecision,
  type OperatorRequest,
  type OperatorView,
  operatorListSchema,
  operatorViewSchema,
} from "@quorate/protocol/operator-view";
import { policyListSchema, type PolicyVersion, policyVersionSchema } from "@quorate/protocol/policy";
import {
  type ProjectAudit,
  projectAuditSchema,
  type ProjectSubmissions,
  projectSubmissionsSchema,
  type ProjectView,
  projectViewSchema,
} from "@quorate/protocol/project";
import {
  networkViewSchema,
  roundViewSchema,
  submissionBatchViewSchema,
  submissionViewSchema,
  type NetworkView,
  type RoundState,
  type RoundView,
  type SubmissionBatchView,
  type SubmissionRequest,
  type SubmissionView,
} from "@quorate/protocol/submission";
import { targetSchema, type Target } from "@quorate/protocol/target";
import {
  type WorkerCredentials,
  type WorkerDismissed,
  type WorkerView,
  workerCredentialsSchema,
  workerDismissedSchema,
  workerViewSchema,
} from "@quorate/protocol/worker";
import { z } from "zod";
import { type HttpRequest, queryOf, request, requestJson } from "./http.ts";
import { followSubmission, type SubmissionEvent } from "./submission-events.ts";

export type ApiOptions = { url: string; token?: string | undefined; deadlineSeconds?: number };

export type Cancellable = { signal?: AbortSignal | undefined };

/** `countedBefore`: what the batches before it of the same dry run would have taken of the day. */
export type BatchOptions = { isDryRun?: boolean; countedBefore?: number };

/** A page of a project's list; `after` is `next` of the page before. */
export type ProjectSubmissionsQuery = { limit?: number; after?: Sha256; failing?: boolean };
export type ProjectAuditQuery = { limit?: number; after?: number };

export type ArtifactQuery = { name?: string; version?: string; architecture?: string };

/** The coordinator's public API. Every method throws ApiError or ConnectionError (http.ts). */
export interface Api {
  readonly url: string;
  /** Resolving what the distribution published may fetch its indices: this takes up to minutes the first time. */
  submit(submission: SubmissionRequest, options?: Cancellable): Promise<SubmissionView>;
  /** Each of many, or why it was refused. Sent again, the same batch changes nothing. */
  submitBatch(submissions: readonly SubmissionRequest[], options?: Cancellable & BatchOptions): Promise<SubmissionBatchView>;
  submission(id: Sha256, options?: Cancellable): Promise<SubmissionView>;
  /** The token's own project; this and its lists need a token with the scope `read`. */
  project(options?: Cancellable): Promise<ProjectView>;
  projectSubmissions(query?: ProjectSubmissionsQuery, options?: Cancellable): Promise<ProjectSubmissions>;
  projectAudit(query?: ProjectAuditQuery, options?: Cancellable): Promise<ProjectAudit>;
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
  /** Every policy that the network has logged, newest first. */
  policies(options?: Cancellable): Promise<PolicyVersion[]>;
  /** The next version of the policy: an envelope that is signed with the network's key. */
  publishPolicy(envelope: string, options?: Cancellable): Promise<PolicyVersion>;
  operatorRecord(operator: OperatorId, options?: Cancellable): Promise<OperatorRecord>;
  stats(options?: Cancellable): Promise<Stats>;
  /** The API's own description: an OpenAPI document. */
  description(options?: Cancellable): Promise<unknown>;
  /** An operator's signed enrolment, change of keys or revocation. */
  sendOperatorStatement(statement: OperatorRequest, options?: Cancellable): Promise<OperatorView>;
  operator(id: OperatorId, options?: Cancellable): Promise<OperatorView>;
  operators(options?: Cancellable): Promise<OperatorView[]>;
  /** Enrolments that wait for a decision or were refused. This and `decide` need the network's token. */
  undecidedOperators(options?: Cancellable): Promise<OperatorView[]>;
  decide(id: OperatorId, decision: OperatorDecision, options?: Cancellable): Promise<OperatorView>;
  /** All projects' tokens. This, `createToken` and `revokeToken` need the network's token. */
  tokens(options?: Cancellable): Promise<TokenView[]>;
  createToken(token: TokenRequest, options?: Cancellable): Promise<NewToken>;
  revokeToken(id: string, options?: Cancellable): Promise<TokenView>;
  /** The envelope of a registration, which its operator signed. */
  registerWorker(envelope: string, options?: Cancellable): Promise<WorkerCredentials>;
  dismissWorker(envelope: string, options?: Cancellable): Promise<WorkerDismissed>;
  workers(options?: Cancellable): Promise<WorkerView[]>;
}

const workerListSchema = z.object({ workers: z.array(workerViewSchema) });
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
    submitBatch: (submissions, { signal, isDryRun, countedBefore } = {}) =>
      requestJson(
        {
          ...post(`submitting ${submissions.length} sources`, `/v1/submissions/batch${queryOf({ dryRun: isDryRun, countedBefore })}`, {
            submissions,
          }),
          signal,
          deadlineSeconds: submitSeconds,
        },
        submissionBatchViewSchema,
      ),
    submission: (id, { signal } = {}) =>
      requestJson(get(`reading submission ${id}`, `/v1/submissions/${id}`, signal), submissionViewSchema),
    project: ({ signal } = {}) => requestJson({ ...get("reading the project", "/v1/project", signal), token }, projectViewSchema),
    projectSubmissions: (query = {}, { signal } = {}) =>
      requestJson(
        { ...get("listing the project's submissions", `/v1/project/submissions${queryOf(query)}`, signal), token },
        projectSubmissionsSchema,
      ),
    projectAudit: (query = {}, { signal } = {}) =>
      requestJson({ ...get("reading the project's audit log", `/v1/project/audit${queryOf(query)}`, signal), token }, projectAuditSchema),
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
    async policies({ signal } = {}) {
      return (await requestJson(get("listing the network's policies", "/v1/policies", signal), policyListSchema)).policies;
    },
    publishPolicy: (envelope, { signal } = {}) =>
      requestJson({ ...post("publishing a policy", "/v1/policies", { envelope }), signal }, policyVersionSchema),
    operatorRecord: (operator, { signal } = {}) =>
      requestJson(get(`reading the record of operator ${operator}`, `/v1/operators/${operator}/record`, signal), operatorRecordSchema),
    stats: ({ signal } = {}) => requestJson(get("reading the network's statistics", "/v1/stats", signal), statsSchema),
    description: ({ signal } = {}) => requestJson(get("reading the API's description", "/v1/openapi.json", signal), z.unknown()),
    sendOperatorStatement: (statement, { signal } = {}) =>
      requestJson({ ...post("sending the operator's statement", "/v1/operators", statement), signal }, operatorViewSchema),
    operator: (id, { signal } = {}) => requestJson(get(`reading operator ${id}`, `/v1/operators/${id}`, signal), operatorViewSchema),
    async operators({ signal } = {}) {
      return (await requestJson(get("listing operators", "/v1/operators", signal), operatorListSchema)).operators;
    },
    async undecidedOperators({ signal } = {}) {
      const asked = { ...get("listing operators that wait", "/v1/operators?state=undecided", signal), token };
      return (await requestJson(asked, operatorListSchema)).operators;
    },
    decide: (id, decision, { signal } = {}) =>
      requestJson({ ...post(`deciding on operator ${id}`, `/v1/operators/${id}/decision`, decision), signal }, operatorViewSchema),
    async tokens({ signal } = {}) {
      return (await requestJson({ ...get("listing projects' tokens", "/v1/tokens", signal), token }, tokenListSchema)).tokens;
    },
    createToken: (wanted, { signal } = {}) =>
      requestJson({ ...post(`creating a token of project ${wanted.project}`, "/v1/tokens", wanted), signal }, newTokenSchema),
    revokeToken: (id, { signal } = {}) =>
      requestJson({ ...get(`revoking token ${id}`, `/v1/tokens/${id}`, signal), method: "DELETE", token }, tokenViewSchema),
    registerWorker: (envelope, { signal } = {}) =>
      requestJson({ ...post("registering the worker", "/v1/workers", { envelope }), signal }, workerCredentialsSchema),
    dismissWorker: (envelope, { signal } = {}) =>
      requestJson({ ...post("dismissing the worker", "/v1/workers", { envelope }), signal }, workerDismissedSchema),
    async workers({ signal } = {}) {
      return (await requestJson(get("listing workers", "/v1/workers", signal), workerListSchema)).workers;
    },
  };
}

function nameOf({ distribution, suite, source, version }: SubmissionRequest): string {
  return `${distribution}/${suite} ${source}${version === undefined ? "" : ` ${version}`}`;
}
