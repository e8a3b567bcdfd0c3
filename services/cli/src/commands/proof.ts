import { stat, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import type { Api } from "@quorate/client/api";
import { parseSha256, type Sha256 } from "@quorate/protocol/digest";
import { CommandError, exitCodes, type ExitCode } from "../command-error.ts";
import { connect, type ConnectionOptions } from "../connection.ts";
import type { CommandContext } from "../context.ts";
import { sha256OfFile } from "../file-digest.ts";

export type ProofOptions = ConnectionOptions & { output?: string | undefined; json?: boolean | undefined };

/** `quorate proof (FILE.deb | SHA256 | NAME[=VERSION])` */
export async function runProof(artifact: string, options: ProofOptions, context: CommandContext): Promise<ExitCode> {
  const { terminal, env, signal } = context;
  const api = await connect(options, env);
  const { sha256, name } = await findArtifact(api, artifact, signal);
  const proof = await api.proof(sha256, { signal });
  const path = options.output ?? `${name}.proof.json`;
  if (path === "-") {
    terminal.print(proof);
    return exitCodes.ok;
  }
  await writeFile(path, proof);
  if (options.json) terminal.printJson({ sha256, proofPath: path });
  else terminal.print(`proof of ${sha256} written to ${path}`);
  return exitCodes.ok;
}

async function findArtifact(api: Api, text: string, signal: AbortSignal): Promise<{ sha256: Sha256; name: string }> {
  if (/^[0-9a-f]{64}$/.test(text)) return { sha256: parseSha256(text), name: text };
  if (await isFile(text)) return { sha256: await sha256OfFile(text), name: basename(text) };
  if (text.includes("/") || text.endsWith(".deb")) throw new CommandError(`fetching a proof: there is no file ${text}`);
  return findByName(api, text, signal);
}

async function findByName(api: Api, text: string, signal: AbortSignal): Promise<{ sha256: Sha256; name: string }> {
  const [, name = text, version] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  const found = await api.artifacts(version === undefined ? { name } : { name, version }, { signal });
  const [first] = found;
  if (!first) throw new CommandError(`fetching a proof: ${api.url} has no verdict on ${text}; submit its source with \`quorate submit\``);
  const digests = new Set(found.map(({ sha256 }) => sha256));
  if (digests.size > 1) {
    const choices = found.map((artifact) => `${artifact.version} ${artifact.architecture} ${artifact.sha256}`).join("; ");
    throw new CommandError(`fetching a proof: ${text} is ${digests.size} artifacts; name one by its SHA-256: ${choices}`);
  }
  return { sha256: first.sha256, name: first.file };
}

async function isFile(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() ?? false;
}
