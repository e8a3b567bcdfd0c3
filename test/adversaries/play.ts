import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TraceFile, formatTrace, traceSummaryOf } from "@quorate/attestation/build-trace";
import type { LeasedJob } from "@quorate/bus/worker-bus";
import { createBlobs } from "@quorate/client/blobs";
import { type Sha256, sha256Of } from "@quorate/protocol/digest";
import type { NetworkView, RoundView } from "@quorate/protocol/submission";
import { textOf, utf8 } from "@quorate/protocol/utf8";
import { createLogger } from "@quorate/service/logger";
import { parseTlogPolicy } from "@quorate/tlog/tlog-policy";
import { formatTrustPolicy } from "@quorate/verdict/trust-policy";
import type { TestNetwork } from "../../services/coordinator/src/network.fixture.ts";
import type { TestOperator } from "../../services/coordinator/src/test-operator.fixture.ts";
import { quorate } from "../quorate.ts";

/** What an operator says in a round: digests other than the published ones, and the files that it made on the way. */
export type Claim = { digestOf?: (published: Sha256) => Sha256; trace?: readonly TraceFile[] };

/** The files that a build makes on its way; `by` tells those of a build apart from invented ones. */
export const traceMadeBy = (by: string): TraceFile[] =>
  Array.from({ length: 12 }, (_, number) => ({ path: `src/part-${number}.o`, sizeBytes: 100, sha256: sha256Of(utf8(`${by} ${number}`)) }));

export const honestTrace = traceMadeBy("a build of the source");

/** Keeps what a service logs: one object a line. */
export function collectingLogger() {
  const lines: Record<string, unknown>[] = [];
  return { lines, logger: createLogger({ name: "coordinator", destination: { write: (line) => void lines.push(JSON.parse(line)) } }) };
}

/** The values of one of a service's metrics, by its labels as they are written. */
export async function countsOf(url: string, metric: string): Promise<Record<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Object.fromEntries(
    [...text.matchAll(new RegExp(`^${metric}{(.*)} (\\d+)$`, "gm"))].map(([, labels = "", value]) => [labels, Number(value)]),
  );
}

/** What the source builds to, when the published package was made from something else. */
export const rebuiltDigest = (published: Sha256): Sha256 => sha256Of(utf8(`rebuilt instead of ${published}`));

/** A signed result; its trace is uploaded as a worker would. */
export async function signClaim(network: TestNetwork, operator: TestOperator, { job, claim }: { job: LeasedJob; claim: Claim }) {
  const { digestOf = (published: Sha256) => published, trace = honestTrace } = claim;
  const content = utf8(formatTrace(trace));
  const sha256 = sha256Of(content);
  await createBlobs({ url: network.url }).put({ sha256, content, ticket: job.message.uploadTicket });
  const byproduct = { kind: "build-trace", name: "build.trace", sizeBytes: content.length, sha256, mediaType: "text/plain" } as const;
  return operator.signResult(job, { digestOf, change: { trace: traceSummaryOf(trace), byproducts: [byproduct] } });
}

/** Takes a job, commits to the claim and reveals it. */
export async function play(network: TestNetwork, operator: TestOperator, claim: Claim = {}): Promise<Uint8Array> {
  const job = await operator.takeJob();
  await operator.report(job, { kind: "started" });
  const result = await signClaim(network, operator, { job, claim });
  await operator.report(job, { kind: "commitment", envelope: textOf(operator.signCommitment(job, result)) });
  await operator.untilReveal(job);
  await operator.report(job, { kind: "result", envelope: textOf(result) });
  await job.ack();
  return result;
}

/** What `quorate replay --json` and `quorate status ROUND` say about a network, to a reader who trusts these operators. */
export type Reader = {
  replay(): Promise<{ code: number; report: Record<string, unknown> }>;
  status(round: RoundView): Promise<string>;
  readonly policyFile: string;
};

export async function readerOf(network: TestNetwork, operators: readonly TestOperator[], directory: string): Promise<Reader> {
  const policyFile = join(directory, "policy");
  await writeFile(policyFile, trustPolicyText(await network.api.network(), operators));
  const env = { QUORATE_URL: network.url };
  return {
    policyFile,
    async replay() {
      const { code, stdout } = await quorate(["replay", "--policy", policyFile, "--json"], { env });
      return { code, report: JSON.parse(stdout) };
    },
    async status({ round }) {
      const { stdout, stderr } = await quorate(["status", round], { env });
      if (stderr !== "") throw new Error(`quorate status: ${stderr}`);
      return stdout;
    },
  };
}

function trustPolicyText({ witnessPolicy, networkKey }: NetworkView, operators: readonly TestOperator[]): string {
  return formatTrustPolicy({
    witnessPolicy: parseTlogPolicy(witnessPolicy),
    network: { name: "test", key: Buffer.from(networkKey, "base64") },
    operators: operators.map(({ id, signer }) => ({ name: id, id, key: signer.spki })),
    threshold: 2,
  });
}
