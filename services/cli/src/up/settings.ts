import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { writeDurableFile } from "@quorate/service/durable-file";
import { z } from "zod";
import { choosePort, isPortFree, PortInUseError } from "./ports.ts";

export const defaultPort = 8420;
const defaultSitePort = 8421;
const defaultConsolePort = 8422;

const portSchema = z.int().min(1).max(65_535);
const tokenSchema = z.string().min(16).max(200);

/** What an embedded network must remember between runs; `network.json` in its data directory. Holds secrets. */
const settingsSchema = z.strictObject({
  /** Name of the log in its checkpoints. */
  origin: z.string(),
  /** UTC day of the first start: the log may be created on that day alone, so that a log that is lost is not replaced unseen. */
  inceptionDate: z.iso.date(),
  operators: z.array(z.string()).min(1),
  witnesses: z.array(z.string()).min(1),
  ports: z.strictObject({
    api: portSchema,
    site: portSchema.default(defaultSitePort),
    console: portSchema.default(defaultConsolePort),
    log: portSchema,
    nats: portSchema,
    witnesses: z.array(portSchema),
  }),
  tokens: z.strictObject({ api: tokenSchema, invitation: tokenSchema, admin: tokenSchema, log: tokenSchema }),
});
export type Settings = z.infer<typeof settingsSchema>;

export const maxOperators = 9;
const witnessCount = 3;

/** Names of the operators of this host, in order. */
const operatorNames = ["alder", "birch", "cedar", "dogwood", "elder", "fir", "ginkgo", "hazel", "ironwood"];

export async function loadSettings(path: string): Promise<Settings | undefined> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    return settingsSchema.parse(JSON.parse(text));
  } catch {
    // The file holds secrets: the error must not quote it.
    throw new Error(`reading ${path}: it is damaged; restore it from a backup, or use another data directory`);
  }
}

export async function saveSettings(path: string, settings: Settings): Promise<void> {
  await writeDurableFile(path, `${JSON.stringify(settings, null, 2)}\n`, { mode: 0o600 });
}

export async function newSettings(wanted: { port: number | undefined; operators: number | undefined }): Promise<Settings> {
  const network = randomBytes(4).toString("hex");
  const taken = new Set([wanted.port ?? defaultPort]);
  const nextPort = async (): Promise<number> => {
    const port = await choosePort(taken);
    taken.add(port);
    return port;
  };
  return {
    // A name without a path: Sigstore's clients look for the log's key by hostname.
    origin: `${network}.quorate.localhost`,
    inceptionDate: today(),
    operators: operatorNames.slice(0, wanted.operators ?? 3),
    witnesses: Array.from({ length: witnessCount }, (_, index) => `localhost/quorate/${network}/witness-${index + 1}`),
    ports: {
      api: wanted.port ?? defaultPort,
      site: wanted.port === undefined ? defaultSitePort : await nextPort(),
      console: wanted.port === undefined ? defaultConsolePort : await nextPort(),
      log: await nextPort(),
      nats: await nextPort(),
      witnesses: [await nextPort(), await nextPort(), await nextPort()],
    },
    tokens: { api: newToken("api"), invitation: newToken("invitation"), admin: newToken("admin"), log: newToken("log") },
  };
}

/** @throws Error when fewer operators are asked for than the network has: those that are enrolled can be drawn for rounds */
export function withOperators(settings: Settings, count: number | undefined): Settings {
  if (count === undefined || count === settings.operators.length) return settings;
  if (count < settings.operators.length) {
    throw new Error(
      `starting with ${count} operators: this network has ${settings.operators.length}, and operators that are enrolled are drawn for rounds; leave --operators out, or use another data directory`,
    );
  }
  return { ...settings, operators: operatorNames.slice(0, count) };
}

/**
 * Ports of internal services are chosen anew when another process took them meanwhile; the API's port is public and is not.
 *
 * @throws PortInUseError
 */
export async function withFreePorts(settings: Settings, port: number | undefined): Promise<Settings> {
  const api = port ?? settings.ports.api;
  if (!(await isPortFree(api))) throw new PortInUseError(api);
  const taken = new Set([api]);
  const keepOrChoose = async (present: number): Promise<number> => {
    const kept = !taken.has(present) && (await isPortFree(present)) ? present : await choosePort(taken);
    taken.add(kept);
    return kept;
  };
  const witnesses: number[] = [];
  const site = await keepOrChoose(settings.ports.site);
  const console = await keepOrChoose(settings.ports.console);
  const log = await keepOrChoose(settings.ports.log);
  const nats = await keepOrChoose(settings.ports.nats);
  for (const witness of settings.ports.witnesses) witnesses.push(await keepOrChoose(witness));
  return { ...settings, ports: { api, site, console, log, nats, witnesses } };
}

export function today(): string {
  return new Date().toISOString().slice(0, 10);
}

function newToken(purpose: string): string {
  return `quorate-${purpose}-${randomBytes(24).toString("base64url")}`;
}
