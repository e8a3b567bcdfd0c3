import { architectureSchema, packageNameSchema, packageVersionSchema } from "@quorate/protocol/names";
import { ParseError } from "@quorate/protocol/parse-error";
import { z } from "zod";

/** A package of which apt would fetch and unpack this version. */
export type PlannedPackage = { readonly package: string; readonly version: string; readonly architecture: string };

export type AptHookMessage = {
  /** Without `org.debian.apt.hooks.`, such as `hello`, `install.statistics` or `bye`. */
  readonly method: string;
  /** Of a call, which wants an answer. */
  readonly id?: number;
  /** Of the protocol, in a `hello`. */
  readonly versions: readonly string[];
  readonly packages: readonly PlannedPackage[];
};

const prefix = "org.debian.apt.hooks.";
const versionSchema = z.object({ version: packageVersionSchema, architecture: architectureSchema });
const packageSchema = z.object({
  name: packageNameSchema,
  mode: z.string().max(40),
  versions: z.object({ install: versionSchema.optional() }),
});
const messageSchema = z.object({
  jsonrpc: z.literal("2.0"),
  method: z.string().startsWith(prefix).max(200),
  id: z.int().min(0).optional(),
  params: z
    .object({ versions: z.array(z.string().max(20)).max(100).optional(), packages: z.array(packageSchema).max(500_000).optional() })
    .optional(),
});

/** What brings no new bytes is left out. */
const unpackingModes = new Set(["install", "upgrade", "downgrade", "reinstall"]);

/**
 * A message of apt to a JSON hook, protocol 0.1 and 0.2 (apt's README.json-hooks.md): JSON-RPC 2.0. A hook is first greeted, and is told of packages
 * with the version that would be installed.
 *
 *     {"jsonrpc":"2.0","method":"org.debian.apt.hooks.hello","id":0,"params":{"versions":["0.1","0.2"]}}
 *     {"jsonrpc":"2.0","method":"org.debian.apt.hooks.install.statistics","params":{"packages":[{"name":"hello","mode":"install",
 *      "versions":{"install":{"version":"2.10-3","architecture":"amd64"}}}]}}
 *
 * @throws ParseError
 */
export function parseAptHookMessage(text: string): AptHookMessage {
  try {
    const { method, id, params } = messageSchema.parse(JSON.parse(text));
    const packages = (params?.packages ?? []).flatMap(({ name, mode, versions: { install } }) =>
      install === undefined || !unpackingModes.has(mode) ? [] : [{ package: name, ...install }],
    );
    return { method: method.slice(prefix.length), ...(id === undefined ? {} : { id }), versions: params?.versions ?? [], packages };
  } catch (cause) {
    throw new ParseError("message of apt to a JSON hook", text.slice(0, 200), { cause });
  }
}

/** The answer to a `hello`: the version of the protocol that the hook speaks. */
export function formatAptHello(id: number, version: string): string {
  return `${JSON.stringify({ jsonrpc: "2.0", id, result: { version } })}\n\n`;
}
