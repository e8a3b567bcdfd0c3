import { createApi } from "@quorate/client/api";
import { sha256Of } from "@quorate/protocol/digest";
import { formatTime } from "@quorate/protocol/names";
import { textOf } from "@quorate/protocol/utf8";
import type { WorkerStatus } from "@quorate/protocol/worker";
import { signWorkerStatement } from "@quorate/signing/envelope";
import { loadJoinedNetwork, loadOperatorDirectory, loadOperatorProfile } from "@quorate/signing/operator-directory";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CommandError, exitCodes, type ExitCode } from "../command-error.ts";
import type { CommandContext } from "../context.ts";
import { connectionLines } from "../operator/connection-lines.ts";
import { inspectHost, requireBuildHost } from "../operator/inspect-host.ts";
import { loadWorkerStatus } from "../operator/load-worker-status.ts";
import { type OperatorOptions, operatorDirectoryOf, workerDirectoryOf } from "../operator/operator-location.ts";
import { loadPassphrase, passphraseFileOf } from "../operator/passphrase.ts";
import { planWorker, type WorkerLimits } from "../operator/plan-worker.ts";
import { runWorkerProcess } from "../operator/worker-process.ts";
import { workerStatusLines } from "../operator/worker-lines.ts";
import { hostEnvironment } from "../up/host-environment.ts";
import { writeHostArchives } from "../up/network-files.ts";
import { isAlive } from "../up/running.ts";

type Where = OperatorOptions & { data?: string | undefined; json?: boolean | undefined };

export type WorkerOptions = Where & {
  name?: string | undefined;
  tags?: string | undefined;
  cores?: number | undefined;
  memory?: number | undefined;
  disk?: number | undefined;
  mirror?: string | undefined;
  once?: boolean | undefined;
  check?: boolean | undefined;
};

/** `quorate worker`: checks this machine, says what it will do, and rebuilds what the operator is drawn for, until it is told to end. */
export async function runWorker(options: WorkerOptions, context: CommandContext): Promise<ExitCode> {
  const { terminal, env, signal } = context;
  const operatorDirectory = operatorDirectoryOf(options, env);
  const profile = loadOperatorProfile(operatorDirectory);
  const network = loadJoinedNetwork(operatorDirectory);
  if (!network)
    throw new CommandError(`starting a worker of ${profile.name}: it has not joined a network; run: quorate operator enrol URL`);
  const directory = workerDirectoryOf(options, env);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const { variables } = hostEnvironment(env);
  await requireBuildHost("starting a worker", variables);
  const plan = planWorker(await inspectHost(directory, network.url, signal), wantedOf(options));
  if (plan.kind === "cannot") throw new CommandError(`starting a worker: this machine cannot build: ${plan.reasons.join("; ")}`);
  const archivesFile = join(directory, "archives.json");
  await writeHostArchives({ path: archivesFile, mirror: options.mirror });
  for (const line of planLines(plan.limits, { network: network.url, operator: profile.name, directory })) terminal.say(line);
  if (options.check) return exitCodes.ok;
  const passphraseFile = passphraseFileOf(options, env);
  const environment = {
    ...variables,
    OPERATOR_DIR: operatorDirectory,
    ...(passphraseFile !== undefined && { OPERATOR_PASSPHRASE_FILE: passphraseFile }),
    WORKER_NAME: options.name ?? "worker",
    WORKER_TAGS: options.tags ?? "",
    WORKER_ONCE: options.once ? "1" : "",
    WORKER_DATA_DIR: stateDirectoryOf(options, env),
    PACKAGE_CACHE_DIR: join(directory, "packages"),
    ARCHIVES_FILE: archivesFile,
    WORKER_PARALLEL: String(plan.limits.parallel),
    BUILD_MEMORY_MIB: String(plan.limits.memoryMib),
    BUILD_DISK_MIB: String(plan.limits.diskMib),
  };
  return runWorkerProcess(environment, { terminal, signal, json: options.json ?? false });
}

/** `quorate worker status` */
export async function runWorkerStatus(options: Where, { terminal, env }: CommandContext): Promise<ExitCode> {
  const status = await loadWorkerStatus(stateDirectoryOf(options, env));
  const isRunning = status !== undefined && isAlive(status.pid);
  if (options.json) terminal.printJson({ running: isRunning, ...status });
  else for (const line of workerStatusLines(status, isRunning, new Date())) terminal.print(line);
  return exitCodes.ok;
}

/** `quorate worker pause`: the job in hand is finished, and no other taken, also after a restart, until `resume`. */
export async function runWorkerPause(options: Where, { terminal, env }: CommandContext): Promise<ExitCode> {
  const path = pauseFileOf(options, env);
  await writeFile(path, "").catch((cause: unknown) => {
    throw new CommandError(`pausing the worker: there is none with its data in ${workerDirectoryOf(options, env)}`, { cause });
  });
  terminal.say("paused: the job in hand is finished, and its result revealed when the network asks; go on with: quorate worker resume");
  return exitCodes.ok;
}

/** `quorate worker resume` */
export async function runWorkerResume(options: Where, { terminal, env }: CommandContext): Promise<ExitCode> {
  await rm(pauseFileOf(options, env), { force: true });
  terminal.say("the worker takes jobs again");
  return exitCodes.ok;
}

/**
 * `quorate worker leave [WORKER]`: the network forgets this worker, or another of the operator's, such as one whose machine is lost. The
 * operator stays.
 */
export async function runWorkerLeave(
  worker: string | undefined,
  options: Where & { force?: boolean },
  context: CommandContext,
): Promise<ExitCode> {
  const { terminal, env, signal } = context;
  const operatorDirectory = operatorDirectoryOf(options, env);
  const { signer } = loadOperatorDirectory(operatorDirectory, await loadPassphrase(options, env));
  const network = loadJoinedNetwork(operatorDirectory);
  const status = await loadWorkerStatus(stateDirectoryOf(options, env));
  const leaving = worker ?? status?.worker;
  if (!network || leaving === undefined) throw new CommandError("leaving: there is no worker here; name one of `quorate operator status`");
  if (leaving === status?.worker && options.force !== true) refuseUnfinished(status);
  const saidAt = formatTime(new Date());
  const networkDigest = sha256Of(Buffer.from(network.networkKey, "base64"));
  const statement = { action: "dismiss" as const, operator: signer.operator, worker: leaving, network: networkDigest, saidAt };
  const envelope = textOf(await signWorkerStatement(statement, signer));
  const dismissed = await createApi({ url: network.url }).dismissWorker(envelope, { signal });
  if (options.json) terminal.printJson(dismissed);
  else {
    terminal.print(`worker     ${leaving} has left ${network.url}; what it has on disk may be deleted`);
    for (const line of connectionLines(dismissed.connectionsEnd)) terminal.print(line);
  }
  return exitCodes.ok;
}

/** @throws CommandError for a worker that would leave something undone */
function refuseUnfinished({ pid, state, job, unrevealed }: WorkerStatus): void {
  const wait = "run `quorate worker pause` and wait until `quorate worker status` shows nothing more to do, or use --force";
  if (job !== undefined && isAlive(pid))
    throw new CommandError(`leaving: this worker is ${state}, and job ${job} would be cut off and wait for another; ${wait}`);
  if (unrevealed > 0)
    throw new CommandError(
      `leaving: ${unrevealed} results of this worker are not revealed yet and would stay so for everyone to see; ${wait}`,
    );
}

function planLines(limits: WorkerLimits, about: { network: string; operator: string; directory: string }): string[] {
  return [
    `this machine can build; a worker of ${about.operator} will`,
    `  connect outward to ${about.network} and the NATS server that it names, and listen on nothing`,
    `  rebuild source packages in namespaces without network, each with ${limits.parallel} CPUs, ${limits.memoryMib} MiB of memory, ${limits.diskMib} MiB of disk`,
    `  keep base systems, packages and unrevealed results in ${about.directory}`,
    `Ctrl-C ends it; \`quorate worker status\` shows it, \`quorate worker pause\` lets it rest`,
  ];
}

function wantedOf({ cores, memory, disk }: WorkerOptions): Partial<WorkerLimits> {
  return {
    ...(cores !== undefined && { parallel: cores }),
    ...(memory !== undefined && { memoryMib: memory }),
    ...(disk !== undefined && { diskMib: disk }),
  };
}

function pauseFileOf(options: Where, env: CommandContext["env"]): string {
  return join(stateDirectoryOf(options, env), "paused");
}

/** The directory that the worker service calls its data directory. */
function stateDirectoryOf(options: Where, env: CommandContext["env"]): string {
  return join(workerDirectoryOf(options, env), "state");
}
