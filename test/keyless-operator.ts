import { hash } from "node:crypto";
import { copyFile, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { formatKeylessIdentity } from "@quorate/attestation/identity";
import { sha256Of } from "@quorate/protocol/digest";
import { operatorIdOf } from "@quorate/protocol/operator";
import { utf8 } from "@quorate/protocol/utf8";
import { silentLogger } from "@quorate/service/logger";
import { startSigstore, tokenOf } from "@quorate/signing/sigstore.fixture";
import { invitationToken, startTestNetwork, type TestNetwork } from "../services/coordinator/src/network.fixture.ts";
import { temporaryDirectory } from "../services/coordinator/src/servers.fixture.ts";
import type { BuildOutcome, BuildRequest } from "../services/worker/src/executor.ts";
import { createInstantExecutor } from "../services/worker/src/executor.fixture.ts";
import { startWorker, type Worker } from "../services/worker/src/start.ts";
import { quorate } from "./quorate.ts";

/** Whom an issuer knows; her operator has no key. */
export const ada = { issuer: "https://token.example", subject: "https://git.example/ada/rebuilder" };
export const adasIdentity = formatKeylessIdentity(ada);
export const adasOperator = operatorIdOf(adasIdentity);

/** A network that believes a Sigstore of its own, and what makes Ada an operator of it. */
export type KeylessNetwork = AsyncDisposable & {
  readonly network: TestNetwork;
  readonly directory: string;
  /** Makes an operator that is whom `subject` names, with tokens for Ada, and has it ask to be admitted. */
  enrolAs(name: string, subject: string): ReturnType<typeof quorate>;
  /** "Builds" what the archive has. */
  startWorkerOf(name: string): Promise<Worker>;
};

export async function startKeylessNetwork(): Promise<KeylessNetwork> {
  await using resources = new AsyncDisposableStack();
  const directory = await temporaryDirectory("keyless");
  resources.defer(() => rm(directory, { recursive: true, force: true }));
  const pathOf = (name: string): string => join(directory, name);
  const { url, trustedRoot } = resources.use(await startSigstore());
  const sources = [{ source: "alpha", version: "1.0", architecture: "all" as const }];
  const network = resources.use(await startTestNetwork({ sources, trustedRoot }));
  await writeFile(pathOf("trusted_root.json"), trustedRoot);
  const owned = resources.move();
  return {
    network,
    directory,
    async enrolAs(name, subject) {
      const tokenFile = pathOf("token");
      await writeFile(tokenFile, `${tokenOf(ada)}\n`);
      const services = ["--fulcio", url, "--timestamp-authority", url, "--keyless-token-file", tokenFile];
      const where = ["--operator", pathOf(name)];
      const identity = ["--keyless-issuer", ada.issuer, "--keyless-subject", subject];
      const made = await quorate(["operator", "init", "--name", name, "--architecture", "all", ...identity, ...services, ...where]);
      if (made.code !== 0 || !made.stdout.includes(`${subject}, as ${ada.issuer} knows it`)) throw new Error(made.stdout + made.stderr);
      return quorate(["operator", "enrol", network.url, "--invitation", invitationToken, ...where]);
    },
    async startWorkerOf(name) {
      const limits = { timeoutSeconds: 60, memoryMib: 100, diskMib: 100, processes: 100 };
      const where = { operatorDirectory: pathOf(name), dataDirectory: pathOf("worker"), passphraseFile: undefined };
      const worker = await startWorker({
        config: { ...where, workerName: "attic", tags: [], once: true, parallel: 1, limits },
        openExecutor: () => createInstantExecutor((request) => takePublished(network.archive.root, request)),
        logger: silentLogger,
        fail: () => undefined,
      });
      return owned.use(worker);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** "Builds" what the archive at `root` has. */
export async function takePublished(root: string, { target, workDirectory }: BuildRequest): Promise<BuildOutcome> {
  const copy = async ({ file: name, path: published }: (typeof target.artifacts)[number]) => {
    const path = join(workDirectory, name);
    await copyFile(join(root, published), path);
    const bytes = await readFile(path);
    return { name, path, sizeBytes: bytes.length, sha256: sha256Of(bytes), sha512: hash("sha512", bytes) };
  };
  const buildLog = join(workDirectory, "build.log");
  await writeFile(buildLog, "built\n");
  return {
    kind: "built",
    builderVersion: { kernel: "6.12.0" },
    sandboxProfile: "none",
    artifacts: await Promise.all(target.artifacts.map(copy)),
    sources: [],
    trace: [],
    buildLog: { name: "build.log", path: buildLog, sizeBytes: 6, sha256: sha256Of(utf8("built\n")) },
    lock: { environment: sha256Of(utf8("")), packages: [] },
    manifests: [],
  };
}
