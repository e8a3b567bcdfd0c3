import "../interpreted-schemas.ts";
import { readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { verifyNoteSignature } from "@quorate/signing/note-key";
import { ParseError } from "@quorate/protocol/parse-error";
import { VerificationError } from "@quorate/tlog/verification-error";
import { maxProofBytes, parseProof } from "@quorate/verdict/proof";
import { parseTrustPolicy } from "@quorate/verdict/trust-policy";
import { type Chain, verifyProof } from "@quorate/verdict/verify-proof";
import { CommandError, errorLine, exitCodes, type ExitCode } from "../command-error.ts";
import { chainJson, chainLines } from "../chain-lines.ts";
import { type ConnectionOptions, dataDirectoryOf } from "../connection.ts";
import type { CommandContext } from "../context.ts";
import { sha256OfFile } from "../file-digest.ts";
import { loadReaderVerifier } from "../reader-verifier.ts";

export type VerifyOptions = ConnectionOptions & {
  proof?: string | undefined;
  policy?: string | undefined;
  trustedRoot?: string | undefined;
  json?: boolean | undefined;
};

/** `quorate verify FILE.deb`: with `--proof` and `--policy` nothing but these files, and a trusted root if one is named, is looked at. */
export async function runVerify(file: string, options: VerifyOptions, context: CommandContext): Promise<ExitCode> {
  const { terminal, env } = context;
  const policyPath = options.policy ?? join(dataDirectoryOf(options, env), "policy");
  const policyText = await readInput(
    policyPath,
    "policy",
    options.policy === undefined ? "; give --policy FILE: whom you trust is for you to say" : "",
  );
  const artifactSha256 = await digestOf(file);
  const proofText =
    options.proof === undefined ? await fetchProof(artifactSha256, options, context) : await readInput(options.proof, "proof");
  const verify = await loadReaderVerifier(options);
  let chain: Chain;
  try {
    const policy = parseTrustPolicy(policyText);
    const proof = parseProof(proofText);
    chain = verifyProof({
      proof,
      policy,
      artifactSha256,
      artifactName: basename(file),
      verify,
      verifyNoteSignature,
      hasher: nodeHasher,
    });
  } catch (error) {
    if (!(error instanceof VerificationError || error instanceof ParseError)) throw error;
    if (!options.json) throw new CommandError(`NOT verified: ${file}: ${errorLine(error)}`, { exitCode: exitCodes.refuted, cause: error });
    terminal.printJson({ verified: false, file, sha256: artifactSha256, reason: errorLine(error) });
    return exitCodes.refuted;
  }
  if (options.json) terminal.printJson({ verified: true, file, sha256: artifactSha256, ...chainJson(chain) });
  else for (const line of chainLines(file, chain)) terminal.print(line);
  return exitCodes.ok;
}

async function fetchProof(
  sha256: Awaited<ReturnType<typeof sha256OfFile>>,
  options: VerifyOptions,
  { env, signal }: CommandContext,
): Promise<Buffer> {
  const { connect } = await import("../connection.ts");
  return Buffer.from(await (await connect(options, env)).proof(sha256, { signal }));
}

async function digestOf(file: string): Promise<Awaited<ReturnType<typeof sha256OfFile>>> {
  try {
    return await sha256OfFile(file);
  } catch (cause) {
    throw new CommandError(`reading ${file}: ${errorLine(cause)}`, { cause });
  }
}

async function readInput(path: string, what: string, hint = ""): Promise<Buffer> {
  try {
    if ((await stat(path)).size > maxProofBytes) throw new Error(`it is larger than ${maxProofBytes} bytes`);
    return await readFile(path);
  } catch (cause) {
    throw new CommandError(`reading the ${what} ${path}: ${errorLine(cause)}${hint}`, { cause });
  }
}
