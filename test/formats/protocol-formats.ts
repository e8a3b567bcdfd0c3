import { parseJsonBytes } from "@quorate/attestation/json-text";
import { parseNoun } from "@quorate/attestation/parse-noun";
import { parseMessage } from "@quorate/bus/subjects";
import { ConnectionError, parseJsonAnswer } from "@quorate/client/http";
import { parseEventStream } from "@quorate/client/server-sent-events";
import { artifactListSchema, statsSchema } from "@quorate/protocol/artifact-view";
import { parseSha256 } from "@quorate/protocol/digest";
import { problemSchema } from "@quorate/protocol/problem";
import { networkViewSchema, submissionRequestSchema, submissionViewSchema } from "@quorate/protocol/submission";
import { operatorDecisionSchema, operatorRequestSchema, operatorViewSchema } from "@quorate/protocol/operator-view";
import { workerCredentialsSchema, workerRequestSchema, workerStatusSchema, workerViewSchema } from "@quorate/protocol/worker";
import type { z } from "zod";
import { type Format, looseText } from "./format.ts";

const ofNoun = (what: string, schema: z.ZodType) => (input: Uint8Array) =>
  parseNoun(schema, what, parseJsonBytes(what, input, 1_048_576).value);

/** What arrives at the network: requests of strangers, messages of workers. */
export const protocolFormats: readonly Format[] = [
  { name: "SHA-256", vectors: "protocol/sha256", parse: (input) => parseSha256(looseText(input)) },
  { name: "submission request", vectors: "protocol/submission-request", parse: ofNoun("submission request", submissionRequestSchema) },
  { name: "operator request", vectors: "protocol/operator-request", parse: ofNoun("operator request", operatorRequestSchema) },
  { name: "operator decision", vectors: "protocol/operator-decision", parse: ofNoun("operator decision", operatorDecisionSchema) },
  { name: "worker request", vectors: "protocol/worker-request", parse: ofNoun("worker request", workerRequestSchema) },
  { name: "job message", vectors: "protocol/job-message", parse: (input) => parseMessage("job", input) },
  { name: "report message", vectors: "protocol/report-message", parse: (input) => parseMessage("report", input) },
  { name: "control message", vectors: "protocol/control-message", parse: (input) => parseMessage("control", input) },
  { name: "live message", vectors: "protocol/live-message", parse: (input) => parseMessage("live", input) },
];

const refusals = [ConnectionError];
const ofAnswer = (schema: z.ZodType) => (input: Uint8Array) => parseJsonAnswer("reading an answer", looseText(input), schema);

/** What a client is answered. */
export const clientFormats: readonly Format[] = [
  { name: "submission, answered", vectors: "client/submission", parse: ofAnswer(submissionViewSchema), refusals },
  { name: "network, answered", vectors: "client/network", parse: ofAnswer(networkViewSchema), refusals },
  { name: "artifacts, answered", vectors: "client/artifacts", parse: ofAnswer(artifactListSchema), refusals },
  { name: "statistics, answered", vectors: "client/statistics", parse: ofAnswer(statsSchema), refusals },
  { name: "operator, answered", vectors: "client/operator", parse: ofAnswer(operatorViewSchema), refusals },
  { name: "worker, answered", vectors: "client/worker", parse: ofAnswer(workerViewSchema), refusals },
  { name: "worker credentials, answered", vectors: "client/worker-credentials", parse: ofAnswer(workerCredentialsSchema), refusals },
  { name: "worker status", vectors: "client/worker-status", parse: ofAnswer(workerStatusSchema), refusals },
  { name: "problem", vectors: "client/problem", parse: ofAnswer(problemSchema), refusals },
  {
    name: "event stream",
    vectors: "client/event-stream",
    parse: async (input) => {
      for await (const { data } of parseEventStream(inChunks(input))) if (data.includes("\r")) throw new Error(`an event's data: ${data}`);
    },
    refusals,
  },
];

/** Cut where no character or line ends, as a network does. */
async function* inChunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1021) yield bytes.subarray(at, at + 1021);
}
