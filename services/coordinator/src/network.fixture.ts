import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createAuthority } from "@quorate/bus/authority";
import { startNatsServer } from "@quorate/bus/nats-server.fixture";
import { type Api, createApi } from "@quorate/client/api";
import type { Enrolment } from "@quorate/protocol/operator";
import type { Policy } from "@quorate/protocol/policy";
import { createLogger, silentLogger } from "@quorate/service/logger";
import { createP256Key } from "@quorate/signing/p256-key";
import { Redis } from "ioredis";
import { createSmallArchive, type SmallArchive, type SmallSource } from "../../../test/small-archive.ts";
import type { CoordinatorConfig } from "./config.ts";
import { startLogWithWitnesses, startPostgres, startRedis, startService, temporaryDirectory } from "./servers.fixture.ts";
import { type Coordinator, type CoordinatorOptions, startCoordinator } from "./start.ts";
import { enrolTestOperator, type TestOperator } from "./test-operator.fixture.ts";

const logger = process.env["LOG_LEVEL"] === "debug" ? createLogger({ name: "coordinator", level: "debug" }) : silentLogger;
const apiToken = "project-token-of-the-tests";
export const adminToken = "admin-token-of-the-tests";
export const invitationToken = "invitation-token-of-the-tests";

type SignedArchive = Pick<SmallArchive, "url" | "root" | "keyring">;

/** A whole network but for the workers: databases, NATS, log, witness and archive are real; a coordinator runs in this process. */
export type TestNetwork = AsyncDisposable & {
  readonly api: Api;
  readonly url: string;
  /** Of a coordinator that runs in this process. */
  readonly consoleUrl: string | undefined;
  readonly config: CoordinatorConfig;
  readonly archive: SignedArchive;
  /** What the NATS server has logged since it was started. */
  natsSaid(): readonly string[];
  /** Stops the NATS server, and starts it again where it was. */
  stopNats(): Promise<void>;
  startNats(): Promise<void>;
  /** Deletes all that Redis holds. */
  wipeRedis(): Promise<void>;
  restart(options?: Partial<CoordinatorOptions>): Promise<void>;
  /** Kills the coordinator, which must be a program of its own, and starts it again. */
  crash(): Promise<void>;
  enrol(name: string, change?: Partial<Enrolment>): Promise<TestOperator>;
};

export async function startTestNetwork(settings: {
  /** What a small archive that is made for this network publishes, or an archive that is there. */
  sources: readonly SmallSource[] | SignedArchive;
  /** Witnesses of the log; default one. */
  witnesses?: number;
  policy?: Policy;
  /** trusted_root.json of those who certify keyless operators. */
  trustedRoot?: string;
  options?: Partial<CoordinatorOptions>;
  /** Runs the coordinator as a program of its own. */
  isProcess?: boolean;
}): Promise<TestNetwork> {
  await using resources = new AsyncDisposableStack();
  const directory = await temporaryDirectory("network");
  resources.defer(() => rm(directory, { recursive: true, force: true }));
  const file = (name: string) => join(directory, name);
  const { sources } = settings;
  const [postgres, redis, archive] = await Promise.all([
    startPostgres(),
    startRedis(),
    "keyring" in sources ? sources : createSmallArchive({ directory, suite: "small", architecture: "amd64", sources }),
  ]);
  for (const resource of [postgres, redis]) resources.use(resource);
  if (Symbol.asyncDispose in archive) resources.use(archive);
  const authority = await createAuthority(file("nats-authority.json"));
  const natsServer = { authority, directory: file("nats") };
  let nats = await startNatsServer(natsServer);
  resources.defer(() => nats[Symbol.asyncDispose]());
  const log = await startLogWithWitnesses(file, resources, settings.witnesses);
  createP256Key(file("network.key"));
  await writeFile(file("archives.json"), JSON.stringify([{ distribution: "debian", url: archive.url, keyrings: [archive.keyring] }]));
  if (settings.policy) await writeFile(file("policy.json"), JSON.stringify(settings.policy));
  if (settings.trustedRoot) await writeFile(file("trusted_root.json"), settings.trustedRoot);

  const config: CoordinatorConfig = {
    DATABASE_URL: postgres.url,
    REDIS_URL: redis.url,
    NATS_URL: nats.url,
    NATS_AUTHORITY_FILE: file("nats-authority.json"),
    LOG_URL: log.url,
    LOG_KEY: log.vkey,
    LOG_TOKEN: log.token,
    NETWORK_KEY_FILE: file("network.key"),
    WITNESS_POLICY_FILE: log.policyFile,
    COORDINATOR_DATA_DIR: file("coordinator"),
    COORDINATOR_HOST: "127.0.0.1",
    COORDINATOR_PORT: 0,
    COORDINATOR_TRUSTED_PROXIES: ["127.0.0.1/8"],
    COORDINATOR_REQUESTS_A_MINUTE: 1200,
    ARCHIVES_FILE: file("archives.json"),
    API_TOKEN: apiToken,
    PROJECT_TARGETS_A_DAY: 1000,
    WEBHOOK_ADDRESSES: "any",
    INVITATION_TOKEN: invitationToken,
    ADMIN_TOKEN: adminToken,
    CONSOLE_HOST: "127.0.0.1",
    CONSOLE_PORT: 0,
    SIGSTORE_TRUSTED_ROOT_FILE: settings.trustedRoot && file("trusted_root.json"),
    POLICY_FILE: settings.policy && file("policy.json"),
  };
  const start = (options: Partial<CoordinatorOptions>): Promise<Coordinator & { kill?: () => Promise<void> }> =>
    settings.isProcess === true
      ? startService("coordinator", formatEnvironment(config))
      : startCoordinator(config, { logger, sweepMilliseconds: 500, ...options });
  let coordinator = await start(settings.options ?? {});
  config.COORDINATOR_PORT = Number(new URL(coordinator.url).port);
  resources.defer(() => coordinator[Symbol.asyncDispose]());
  const { url, consoleUrl } = coordinator;
  const owned = resources.move();
  return {
    url,
    consoleUrl,
    config,
    archive,
    api: createApi({ url, token: apiToken }),
    natsSaid: () => nats.said,
    async stopNats() {
      await nats[Symbol.asyncDispose]();
    },
    async startNats() {
      nats = await startNatsServer({ ...natsServer, port: Number(new URL(nats.url).port) });
    },
    async wipeRedis() {
      const redis = new Redis({ path: config.REDIS_URL });
      await redis.flushall();
      redis.disconnect();
    },
    async restart(options = settings.options ?? {}) {
      await coordinator[Symbol.asyncDispose]();
      coordinator = await start(options);
    },
    async crash() {
      if (!coordinator.kill) throw new Error("crashing the coordinator: it runs in this process");
      await coordinator.kill();
      coordinator = await start({});
    },
    async enrol(name, change = {}) {
      // Undone before the servers that it is connected to.
      return owned.use(await enrolTestOperator({ url, invitationToken, name, change }));
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function formatEnvironment(config: CoordinatorConfig): Record<string, string> {
  return Object.fromEntries(Object.entries(config).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])));
}
