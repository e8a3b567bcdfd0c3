import { readFile } from "node:fs/promises";
import { parsePolicyRules, type PolicyRules } from "@quorate/protocol/policy";
import { CommandError, errorLine } from "./command-error.ts";

/** The rules of a policy from a file. @throws CommandError that names what is wrong in it */
export async function loadPolicyRules(path: string): Promise<PolicyRules> {
  try {
    return parsePolicyRules(await readFile(path, "utf8"));
  } catch (cause) {
    const next = "`quorate network policy show --json` prints rules, as inForce.policy";
    throw new CommandError(`reading the rules ${path}: ${errorLine(cause)}; ${next}`, { cause });
  }
}
