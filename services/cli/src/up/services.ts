import { mkdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { formatVkey } from "@quorate/tlog/note";
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
  /** Build limits and the like: environment variables of the workers. */
  workerEnvironment: Readonly<Record<string, string>>;
};

const loopback = (port: number): string => `http://127.0.0.1:${port}`;

/** A service runs from its own `main.ts` with environment variables alone, as it would on a host of its own. */
function serviceChild(
  { layout, host }: ServiceOptions,
  service: { name: string; kind: "log" | "witness" | "coordinator" | "worker"; environment: Record<string, string>; url?: string },
): ChildSpecification {
  const { name, kind, environment, url } = service;
  return {
    name,
    command: process.execPath,
    arguments: [fileURLToPath(new URL(`../../../${kind}/src/main.ts`, import.meta.url))],
    environment: { ...host.variables, ...environment },
    logPath: layout.log(name),
    ready: url === undefined ? () => Promise.resolve() : (signal) => until(() => answersReady(url, signal), signal),
    stopSeconds: 10,
  };
}

export function logChild(options: ServiceOptions): ChildSpecification {
  const { layout, settings } = options;
  return serviceChild(options, {
    name: "log",
    kind: "log",
    url: loopback(settings.ports.log),
    environment: {
      LOG_DATA_DIR: layout.directory("log"),
      LOG_KEY_FILE: keyPaths.log(layout),
      LOG_PORT: String(settings.ports.log),
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
      url: loopback(port),
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
  const { layout, settings, urls, keys } = options;
  return serviceChild(options, {
    name: "coordinator",
    kind: "coordinator",
    url: loopback(settings.ports.api),
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
      ARCHIVES_FILE: layout.archives,
      API_TOKEN: settings.tokens.api,
      INVITATION_TOKEN: settings.tokens.invitation,
      POLICY_FILE: layout.networkPolicy,
    },
  });
}

export function workerChildren(options: ServiceOptions): ChildSpecification[] {
  const { layout, settings, workerEnvironment } = options;
  mkdirSync(layout.packageCache, { recursive: true });
  const parallel = Math.max(1, Math.floor(availableParallelism() / settings.operators.length));
  return settings.operators.map((name) =>
    serviceChild(options, {
      name: `worker-${name}`,
      kind: "worker",
      environment: {
        COORDINATOR_URL: loopback(settings.ports.api),
        INVITATION_TOKEN: settings.tokens.invitation,
        OPERATOR_KEY_FILE: keyPaths.operator(layout, name),
        OPERATOR_NAME: name,
        WORKER_DATA_DIR: layout.directory(`operator-${name}`),
        PACKAGE_CACHE_DIR: layout.packageCache,
        ARCHIVES_FILE: layout.archives,
        WORKER_PARALLEL: String(parallel),
        ...workerEnvironment,
      },
    }),
  );
}
