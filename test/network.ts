import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Api, createApi } from "@quorate/client/api";
import { isSettled } from "@quorate/client/submission-events";
import type { JobPhase } from "@quorate/protocol/job";
import type { SubmissionView } from "@quorate/protocol/submission";
import { type Network, type NetworkOptions, startNetwork } from "../services/cli/src/up/network.ts";
import { choosePort } from "../services/cli/src/up/ports.ts";
import { basePackages } from "./base-packages.ts";
import { createSmallArchive, type SmallArchive, type SmallSource } from "./small-archive.ts";

/** A whole network, with three workers that really build, over a small signed archive. */
export interface TestNetwork extends AsyncDisposable {
  readonly network: Network;
  readonly archive: SmallArchive;
  readonly suite: string;
  readonly api: Api;
  readonly directory: string;
  /** Submits a source of the archive and waits for its verdict. */
  rebuild(source: string): Promise<SubmissionView>;
  /** Stops the network and starts it again in the same data directory. */
  restart(): Promise<void>;
}

export async function startTestNetwork(
  sources: readonly SmallSource[],
  options: Pick<NetworkOptions, "listen" | "operators" | "policy"> = {},
): Promise<TestNetwork> {
  const resources = new AsyncDisposableStack();
  await using unlessStarted = resources;
  const directory = await mkdtemp(join(tmpdir(), "quorate-test-"));
  resources.defer(async () => await rm(directory, { recursive: true, force: true }));
  const base = await basePackages();
  const archive = resources.use(await createSmallArchive({ directory, suite: base.suite, sources, packages: base.directory }));
  const archives = [
    { distribution: "debian", url: archive.url, keyrings: [archive.keyring], environments: { [base.suite]: [base.suite] } },
  ];
  const port = await choosePort(new Set());
  const start = async (): Promise<Network> =>
    await startNetwork({
      ...options,
      dataDirectory: join(directory, "data"),
      archives: JSON.stringify(archives),
      env: process.env,
      report: () => {},
      signal: AbortSignal.timeout(120_000),
      port,
      ...options,
    });
  let network = await start();
  resources.defer(async () => await network[Symbol.asyncDispose]());
  const started = unlessStarted.move();
  const api = (): Api => createApi({ url: network.url, token: network.token });
  return {
    get network() {
      return network;
    },
    get api() {
      return api();
    },
    archive,
    suite: base.suite,
    directory,
    rebuild: async (source) => await settled(api(), await api().submit({ distribution: "debian", suite: base.suite, source })),
    restart: async () => {
      await network[Symbol.asyncDispose]();
      network = await start();
    },
    [Symbol.asyncDispose]: async () => await started.disposeAsync(),
  };
}

/** Follows a submission to its end. */
export async function settled(api: Api, submission: SubmissionView, milliseconds = 240_000): Promise<SubmissionView> {
  let last = submission;
  if (isSettled(last)) return last;
  for await (const event of api.submissionEvents(submission.id, { signal: AbortSignal.timeout(milliseconds) })) {
    if (event.kind === "submission") last = event.submission;
  }
  return last;
}

/** Follows a submission until the worker of a job reports this phase; gives the operator's name. */
export async function inPhase(api: Api, submission: SubmissionView, phase: JobPhase): Promise<string> {
  for await (const event of api.submissionEvents(submission.id, { signal: AbortSignal.timeout(240_000) })) {
    if (event.kind !== "live" || event.live.phase !== phase) continue;
    const { operators } = await api.network();
    const { operator } = event.live;
    return operators.find((candidate) => candidate.operator === operator)?.name ?? operator;
  }
  throw new Error(`following submission ${submission.id}: it ended before a job was in phase ${phase}`);
}
