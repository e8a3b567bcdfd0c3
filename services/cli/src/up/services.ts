import { existsSync, mkdirSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createApi } from "@quorate/client/api";
import { loadOperatorDirectory } from "@quorate/signing/operator-directory";
import { formatVkey } from "@quorate/tlog/note";
import { loadWorkerStatus } from "../operator/load-worker-status.ts";
import { sendEnrolment } from "../operator/send-enrolment.ts";
import type { ChildSpecification } from "./child.ts";
import type { HostEnvironment } from "./host-environment.ts";
import type { Layout } from "./layout.ts";
import { keyPaths, type PublicKeys } from "./network-keys.ts";
import { answersReady, until } from "./readiness.ts";
import type { Settings } from "./settings.ts";
import { fileURLToPath } from "node:url";

export type ServiceOptions = {
  layout: Layout;
  settings: Settings;
  keys: PublicKeys;
  host: HostEnvironment;
  urls: { database: string; redis: string; nats: string };
  listen: string | undefined;
  /** Build limits and the like: environment variables of the workers. */
  workerEnvironment: Readonly<Record<string, string>>;
};

const loopback = (port: number): string => `http://127.0.0.1:${port}`;

/** A service runs from its own `main.ts` with environment variables alone, as it would on a host of its own. */
function serviceChild(
  { layout, host }: ServiceOptions,
  service: Pick<ChildSpecification, "name" | "ready"> & {
    kind: "log" | "witness" | "coordinator" | "worker" | "site";
    environment: Record<string, string>;
  },
): ChildSpecification {
  const { name, kind, environment, ready } = service;
  return {
    name,
    command: process.execPath,
    arguments: [fileURLToPath(new URL(`../../../${kind}/src/main.ts`, import.meta.url))],
    environment: { ...host.variables, ...environment },
    logPath: layout.log(name),
    ready,
    stopSeconds: 10,
  };
}

function readyAt(url: string): ChildSpecification["ready"] {
  return (signal) => until(() => answersReady(url, signal), signal);
}

export function logChild(options: ServiceOptions): ChildSpecification {
  const { layout, settings, listen } = options;
  return serviceChild(options, {
    name: "log",
    kind: "log",
    ready: readyAt(loopback(settings.ports.log)),
    environment: {
      LOG_DATA_DIR: layout.directory("log"),
      LOG_KEY_FILE: keyPaths.log(layout),
      LOG_PORT: String(settings.ports.log),
      ...(listen !== undefined && { LOG_HOST: "0.0.0.0" }),
      LOG_TOKEN: settings.tokens.log,
      LOG_POLICY_FILE: layout.witnessPolicy,
      LOG_INCEPTION_DATE: settings.inceptionDate,
    },
  });
}

export function witnessChildren(options: ServiceOptions): ChildSpecification[] {
  const { layout, settings } = options;
  return settings.ports.witnesses.map((port, index) => {
    const name = `witness-${index + 1}`;
    return serviceChild(options, {
      name,
      kind: "witness",
      ready: readyAt(loopback(port)),
      environment: {
        WITNESS_DATA_DIR: layout.directory(name),
        WITNESS_KEY_FILE: keyPaths.witness(layout, index),
        WITNESS_PORT: String(port),
        WITNESS_LOGS_FILE: layout.witnessLogs,
      },
    });
  });
}

export function coordinatorChild(options: ServiceOptions): ChildSpecification {
  const { layout, settings, urls, keys, listen } = options;
  return serviceChild(options, {
    name: "coordinator",
    kind: "coordinator",
    ready: readyAt(loopback(settings.ports.api)),
    environment: {
      DATABASE_URL: urls.database,
      REDIS_URL: urls.redis,
      NATS_URL: urls.nats,
      NATS_AUTHORITY_FILE: layout.natsAuthority,
      LOG_URL: loopback(settings.ports.log),
      LOG_KEY: formatVkey(keys.log),
      LOG_TOKEN: settings.tokens.log,
      NETWORK_KEY_FILE: keyPaths.network(layout),
      WITNESS_POLICY_FILE: layout.witnessPolicy,
      COORDINATOR_DATA_DIR: layout.directory("coordinator"),
      COORDINATOR_PORT: String(settings.ports.api),
      CONSOLE_PORT: String(settings.ports.console),
      ...(listen !== undefined && {
        COORDINATOR_HOST: "0.0.0.0",
        NATS_PUBLIC_URL: `nats://${listen}:${settings.ports.nats}`,
        LOG_PUBLIC_URL: `http://${listen}:${settings.ports.log}`,
      }),
      ARCHIVES_FILE: layout.archives,
      API_TOKEN: settings.tokens.api,
      INVITATION_TOKEN: settings.tokens.invitation,
      ADMIN_TOKEN: settings.tokens.admin,
      POLICY_FILE: layout.networkPolicy,
      ...(existsSync(layout.keylessRoot) && { SIGSTORE_TRUSTED_ROOT_FILE: layout.keylessRoot }),
    },
  });
}

export function siteChild(options: ServiceOptions): ChildSpecification {
  const { layout, settings } = options;
  return serviceChild(options, {
    name: "site",
    kind: "site",
    ready: readyAt(loopback(settings.ports.site)),
    environment: {
      SITE_DATA_DIR: layout.directory("site"),
      SITE_PORT: String(settings.ports.site),
      COORDINATOR_URL: loopback(settings.ports.api),
      LOG_URL: loopback(settings.ports.log),
      TRUST_POLICY_FILE: layout.trustPolicy,
    },
  });
}

/** Enrols this host's operators as any operator enrols: with an invitation. */
export async function enrolOperators({ layout, settings, keys }: ServiceOptions, signal: AbortSignal): Promise<void> {
  const api = createApi({ url: loopback(settings.ports.api) });
  for (const { name } of keys.operators) {
    const directory = keyPaths.operator(layout, name);
    const identity = loadOperatorDirectory(directory);
    await sendEnrolment({ directory, identity, api, invitation: settings.tokens.invitation, signal });
  }
}

export function workerChildren(options: ServiceOptions): ChildSpecification[] {
  const { layout, settings, keys, workerEnvironment } = options;
  mkdirSync(layout.packageCache, { recursive: true });
  const parallel = Math.max(1, Math.floor(availableParallelism() / settings.operators.length));
  return keys.operators.map(({ name }) => {
    const directory = layout.directory(`operator-${name}`);
    // What an earlier run said of itself is no sign of this one.
    rmSync(join(directory, "status.json"), { force: true });
    return serviceChild(options, {
      name: `worker-${name}`,
      kind: "worker",
      ready: (signal) => until(() => isTakingJobs(directory), signal),
      environment: {
        OPERATOR_DIR: keyPaths.operator(layout, name),
        WORKER_DATA_DIR: directory,
        PACKAGE_CACHE_DIR: layout.packageCache,
        ARCHIVES_FILE: layout.archives,
        WORKER_PARALLEL: String(parallel),
        ...workerEnvironment,
      },
    });
  });
}

async function isTakingJobs(dataDirectory: string): Promise<boolean> {
  const status = await loadWorkerStatus(dataDirectory);
  return status !== undefined && ["idle", "working", "paused"].includes(status.state);
}
