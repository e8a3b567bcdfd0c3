import { mkdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { type Api, createApi } from "@quorate/client/api";
import { type OperatorId, operatorIdOf } from "@quorate/protocol/operator";
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
  const { layout, settings } = options;
  return serviceChild(options, {
    name: "log",
    kind: "log",
    ready: readyAt(loopback(settings.ports.log)),
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
  const { layout, settings, urls, keys } = options;
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
      ARCHIVES_FILE: layout.archives,
      API_TOKEN: settings.tokens.api,
      INVITATION_TOKEN: settings.tokens.invitation,
      POLICY_FILE: layout.networkPolicy,
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

export function workerChildren(options: ServiceOptions): ChildSpecification[] {
  const { layout, settings, keys, workerEnvironment } = options;
  const api = createApi({ url: loopback(settings.ports.api), deadlineSeconds: 5 });
  mkdirSync(layout.packageCache, { recursive: true });
  const parallel = Math.max(1, Math.floor(availableParallelism() / settings.operators.length));
  return keys.operators.map(({ name, identityKey }) =>
    serviceChild(options, {
      name: `worker-${name}`,
      kind: "worker",
      ready: (signal) => until(() => isEnrolled(api, operatorIdOf(identityKey), signal), signal),
      environment: {
        COORDINATOR_URL: loopback(settings.ports.api),
        INVITATION_TOKEN: settings.tokens.invitation,
        OPERATOR_KEY_FILE: keyPaths.operator(layout, name),
        OPERATOR_LINK_KEY_FILE: keyPaths.operatorLink(layout, name),
        OPERATOR_NAME: name,
        OPERATOR_HOSTNAME: `${name}.localhost`,
        WORKER_DATA_DIR: layout.directory(`operator-${name}`),
        PACKAGE_CACHE_DIR: layout.packageCache,
        ARCHIVES_FILE: layout.archives,
        WORKER_PARALLEL: String(parallel),
        ...workerEnvironment,
      },
    }),
  );
}

async function isEnrolled(api: Api, operator: OperatorId, signal: AbortSignal): Promise<boolean> {
  const { operators } = await api.network({ signal });
  return operators.some((enrolled) => enrolled.operator === operator);
}
