import { readFile } from "node:fs/promises";
import { ParseError } from "@quorate/protocol/parse-error";
import { verifyNoteSignature } from "@quorate/signing/note-key";
import type { Checkpoint } from "@quorate/tlog/checkpoint";
import { formatHash } from "@quorate/tlog/hash";
import { VerificationError } from "@quorate/tlog/verification-error";
import { type Equivocation, parseEquivocation, verifyEquivocation } from "@quorate/verdict/equivocation";
import { CommandError, errorLine, exitCodes, type ExitCode } from "../command-error.ts";
import type { CommandContext } from "../context.ts";
import { loadTlogPolicy, type PolicyOptions } from "../reader-policy.ts";

export type VerifyEvidenceOptions = PolicyOptions & { json?: boolean | undefined };

/** `quorate verify-evidence FILE`: whether the log of the policy really signed two histories. Reads nothing but the two files. */
export async function runVerifyEvidence(file: string, options: VerifyEvidenceOptions, context: CommandContext): Promise<ExitCode> {
  const { terminal } = context;
  const { logs } = await loadTlogPolicy(options, context);
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new CommandError(`reading the evidence ${file}: ${errorLine(cause)}`, { cause });
  });
  try {
    const evidence = parseEquivocation(bytes);
    const origin = originOf(evidence);
    const log = logs.find(({ key }) => key.name === origin);
    if (log === undefined) throw new VerificationError(`it is about the log ${origin}, which the policy does not name`);
    const checkpoints = verifyEquivocation(evidence, log.key, verifyNoteSignature);
    if (options.json) terminal.printJson({ equivocated: true, origin, checkpoints: checkpoints.map(shown) });
    else for (const line of linesOf(origin, checkpoints)) terminal.print(line);
    return exitCodes.ok;
  } catch (cause) {
    if (!(cause instanceof VerificationError || cause instanceof ParseError)) throw cause;
    if (options.json) terminal.printJson({ equivocated: false, reason: errorLine(cause) });
    else terminal.say(`${file} proves nothing: ${errorLine(cause)}`);
    return exitCodes.refuted;
  }
}

function originOf({ notes: [first] }: Equivocation): string {
  return first.split("\n", 1)[0] ?? "";
}

function shown({ size, root }: Checkpoint): { size: number; root: string } {
  return { size, root: formatHash(root) };
}

function linesOf(origin: string, checkpoints: readonly Checkpoint[]): string[] {
  return [
    `${origin} signed two histories that no one log can have:`,
    ...checkpoints.map(({ size, root }) => `  size ${size}, root ${formatHash(root)}`),
  ];
}
