import { existsSync, mkdirSync } from "node:fs";
import type { PolicyRules } from "@quorate/protocol/policy";
import { openDataDirectory } from "@quorate/service/data-directory";
import { type Child, type ChildEvent, type ChildSpecification, startChild } from "./child.ts";
import { databaseChild } from "./database.ts";
import { hostEnvironment } from "./host-environment.ts";
import { requireHost } from "./host-requirements.ts";
import { type Layout, layoutOf } from "./layout.ts";
import { natsChild } from "./nats.ts";
import { writeNetworkFiles } from "./network-files.ts";
import { deleteUnusedKeys, openKeys, type PublicKeys } from "./network-keys.ts";
import { redisChild } from "./redis.ts";
import { announceRunning } from "./running.ts";
import { coordinatorChild, enrolOperators, logChild, type ServiceOptions, siteChild, witnessChildren, workerChildren } from "./services.ts";
import { loadSettings, newSettings, saveSettings, type Settings, today, withFreePorts, withOperators } from "./settings.ts";

export type NetworkOptions = {
  dataDirectory: string;
  /** Of the coordinator's API; remembered in the data directory. */
  port?: number | undefined;
  operators?: number | undefined;
  /** Name or address by which others reach this host; without it nobody but this host is served. */
  listen?: string | undefined;
  mirror?: string | undefined;
  /** Text of an archives file, instead of what the host's apt uses. */
  archives?: string | undefined;
  policy?: Partial<PolicyRules>;
  workerEnvironment?: Readonly<Record<string, string>>;
  env: Readonly<Record<string, string | undefined>>;
  report: (event: NetworkEvent) => void;
  /** Gives up the start. */
  signal: AbortSignal;
};

export type NetworkEvent = ChildEvent | { kind: "created"; dataDirectory: string };

/** A network on this host. Disposing it stops everything in order; `kill` ends everything at once. */
export interface Network extends AsyncDisposable {
  readonly url: string;
  readonly token: string;
  readonly logUrl: string;
  /** Where people look. */
  readonly siteUrl: string;
  /** Where whoever runs it sees what it does. */
  readonly consoleUrl: string;
  readonly operators: readonly string[];
  readonly layout: Layout;
  child(name: string): Child | undefined;
  kill(): void;
}

/**
 * Brings up a whole network in one data directory, or goes on with the one that is there: log, witnesses, coordinator, workers, and what
 * they need, each a process of its own.
 *
 * @throws Error when the directory is in use or from a newer version, a port is taken, or a child does not come up
 */
export async function startNetwork(options: NetworkOptions): Promise<Network> {
  const layout = layoutOf(options.dataDirectory);
  const host = hostEnvironment(options.env);
  await requireHost(host);
  await using resources = new AsyncDisposableStack();
  resources.use(await openDataDirectory({ path: layout.root, service: "network", format: 1 }));
  mkdirSync(layout.directory("logs"), { recursive: true, mode: 0o700 });
  mkdirSync(layout.sockets, { recursive: true, mode: 0o700 });
  const { settings, keys } = await openNetwork(layout, options);

  const children = resources.adopt(new Map<string, Child>(), stopInOrder);
  const start = async (specifications: readonly ChildSpecification[]): Promise<void> => {
    const started = await Promise.allSettled(
      specifications.map(async (specification) => children.set(specification.name, await startChild(specification, options))),
    );
    for (const outcome of started) if (outcome.status === "rejected") throw outcome.reason;
  };
  const [database, redis, nats] = [
    databaseChild(layout, host),
    redisChild(layout, host),
    await natsChild(layout, host, { port: settings.ports.nats, isPublic: options.listen !== undefined }),
  ];
  const urls = { database: database.url, redis: redis.url, nats: nats.url };
  const { listen, workerEnvironment = {} } = options;
  const services: ServiceOptions = { layout, settings, keys, host, urls, listen, workerEnvironment };
  await start([database, redis, nats, ...witnessChildren(services), logChild(services)]);
  await start([coordinatorChild(services)]);
  await enrolOperators(services, options.signal);
  await start([siteChild(services), ...workerChildren(services)]);

  const url = `http://127.0.0.1:${settings.ports.api}`;
  const logUrl = `http://127.0.0.1:${settings.ports.log}`;
  const token = settings.tokens.api;
  resources.use(await announceRunning(layout, { pid: process.pid, url, token, logUrl }));
  const owned = resources.move();
  return {
    url,
    token,
    logUrl,
    siteUrl: `http://127.0.0.1:${settings.ports.site}`,
    consoleUrl: `http://127.0.0.1:${settings.ports.console}`,
    operators: settings.operators,
    layout,
    child: (name) => children.get(name),
    kill: () => children.forEach((child) => child.kill()),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The network of the data directory, set up if it is new. */
async function openNetwork(layout: Layout, options: NetworkOptions): Promise<{ settings: Settings; keys: PublicKeys }> {
  const { port, operators, policy = {}, mirror, archives } = options;
  const stored = await loadSettings(layout.settings);
  if (!stored) deleteUnusedKeys(layout);
  const known = stored ?? (await newSettings({ port, operators }));
  // Nothing was ever logged: the coordinator starts after the log.
  const inceptionDate = existsSync(layout.directory("coordinator")) ? known.inceptionDate : today();
  const settings = await withFreePorts(withOperators({ ...known, inceptionDate }, operators), port);
  const keys = await openKeys(layout, settings);
  await writeNetworkFiles({ layout, settings, keys, policy, mirror, archives });
  await saveSettings(layout.settings, settings);
  if (!stored) options.report({ kind: "created", dataDirectory: layout.root });
  return { settings, keys };
}

/** Workers first, so that they can give back what they hold; what holds facts last. */
const stopOrder = [/^(?:worker-|site$)/, /^coordinator$/, /^log$/, /^witness-/, /^(?:nats|redis|database)$/];

async function stopInOrder(children: ReadonlyMap<string, Child>): Promise<void> {
  for (const pattern of stopOrder) {
    await Promise.all([...children.values()].filter(({ name }) => pattern.test(name)).map((child) => child.stop()));
  }
}
