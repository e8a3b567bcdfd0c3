import { isIP } from "node:net";
import { z } from "zod";

/** Thrown by `parseConfig`: the message names every variable that is wrong and says what it should be, on one line. */
export class ConfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ConfigError";
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** This process's own environment. Services read it through `ServiceContext.env`. */
export const processEnvironment: Environment = process.env;

/**
 * Parses environment variables with a schema whose keys are the variables' names and whose descriptions (`.describe`) say what each is.
 * A variable set to the empty text counts as not set. The value of one that looks like a secret is never repeated.
 * @throws ConfigError that names all wrong variables
 */
export function parseConfig<Shape extends z.ZodRawShape>(schema: z.ZodObject<Shape>, env: Environment): z.output<z.ZodObject<Shape>> {
  const given: Record<string, string> = {};
  for (const name of Object.keys(schema.shape)) {
    const value = env[name];
    if (value !== undefined && value !== "") given[name] = value;
  }
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const complaints = parsed.error.issues.map((issue) => complaint(schema, issue, given));
  throw new ConfigError(`reading the configuration from the environment: ${[...new Set(complaints)].join("; ")}`);
}

function complaint<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  issue: z.core.$ZodIssue,
  given: Record<string, string>,
): string {
  const name = String(issue.path[0] ?? "");
  const field = schema.shape[name];
  const description = field === undefined ? undefined : z.globalRegistry.get(field)?.description;
  const meaning = description === undefined ? "" : ` (${description})`;
  const value = given[name];
  if (value === undefined) return name === "" ? issue.message : `${name} is not set${meaning}`;
  const shown = isSecret(name) ? "its value is not shown" : `it is ${JSON.stringify(value.slice(0, 200))}`;
  return `${name} ${issue.message}, ${shown}${meaning}`;
}

function isSecret(name: string): boolean {
  return /TOKEN|SECRET|PASSWORD|CREDENTIAL|SEED|KEY|_URL$/.test(name) && !name.endsWith("_FILE");
}

/** A decimal whole number from `min` to `max`, both included. */
export function wholeNumber(min: number, max: number) {
  const message = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^(?:0|[1-9]\d{0,14})$/, message)
    .transform(Number)
    .refine((value) => value >= min && value <= max, message);
}

/** A TCP port to listen on; 0 takes a free one. */
export const portSchema = wholeNumber(0, 65_535);

/** A host name or IP address to listen on. */
export const hostSchema = z.string().regex(/^[0-9A-Za-z.:_-]{1,253}$/, "must be a host name or IP address");

/** A path of the file system. */
export const pathSchema = z
  .string()
  .max(4096)
  .refine((path) => !path.includes("\0"), "must be a path");

/** An `http:` or `https:` URL, without the slashes at its end. */
export const httpUrlSchema = z
  .string()
  .refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), "must be an http or https URL")
  .transform((text) => text.replace(/\/+$/, ""));

/** A bearer token: 16 to 512 characters that an HTTP header can carry. */
export const tokenSchema = z.string().regex(/^[!-~]{16,512}$/, "must be 16 to 512 printable ASCII characters without spaces");

/** Addresses or networks (CIDR), with commas between. */
export const networksSchema = z
  .string()
  .transform((text) => text.split(","))
  .refine((networks) => networks.every(isNetwork), "must be IP addresses or networks such as 10.0.0.0/8, with commas between");

function isNetwork(text: string): boolean {
  const [, address = "", bits = "0"] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  return version !== 0 && Number(bits) <= (version === 4 ? 32 : 128);
}
