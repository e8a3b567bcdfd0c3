import type { Api } from "@quorate/client/api";
import { hasSameRules, type PolicyVersion } from "@quorate/protocol/policy";
import { textOf } from "@quorate/protocol/utf8";
import { signStatement } from "@quorate/signing/envelope";
import { loadP256Key } from "@quorate/signing/p256-key";
import { CommandError, exitCodes, type ExitCode } from "../command-error.ts";
import { connect, type ConnectionOptions, dataDirectoryOf } from "../connection.ts";
import type { CommandContext } from "../context.ts";
import { loadPolicyRules } from "../policy-rules.ts";
import { layoutOf } from "../up/layout.ts";
import { keyPaths } from "../up/network-keys.ts";

export type PolicyShowOptions = ConnectionOptions & { json?: boolean | undefined };

/** `quorate network policy show`: every version, newest first; the one in force whole. */
export async function runPolicyShow(options: PolicyShowOptions, context: CommandContext): Promise<ExitCode> {
  const { terminal, signal } = context;
  const api = await connect(options, context.env);
  const policies = await api.policies({ signal });
  const [inForce, ...earlier] = policies;
  if (inForce === undefined) throw new CommandError(`showing the policy: ${api.url} has none`);
  if (options.json) {
    terminal.printJson({ inForce, policies });
    return exitCodes.ok;
  }
  for (const line of policyLines(inForce)) terminal.print(line);
  for (const { index, policy } of earlier) terminal.print(`earlier     version ${policy.version}, log entry ${index}`);
  return exitCodes.ok;
}

/** `quorate network policy publish FILE`: logs these rules as the next version of the network's policy. */
export async function runPolicyPublish(
  path: string,
  options: PolicyShowOptions & { key?: string | undefined },
  context: CommandContext,
): Promise<ExitCode> {
  const { terminal, signal } = context;
  const rules = await loadPolicyRules(path);
  const api = await connect(options, context.env);
  const newest = await newestPolicy(api, signal);
  if (newest && hasSameRules(newest.policy, rules)) {
    throw new CommandError(`publishing ${path}: its rules are in force already, as version ${newest.policy.version}`);
  }
  const policy = { ...rules, version: (newest?.policy.version ?? 0) + 1 };
  const key = loadP256Key(options.key ?? keyPaths.network(layoutOf(dataDirectoryOf(options, context.env))));
  const published = await api.publishPolicy(textOf(signStatement({ kind: "policy", policy }, [key])), { signal });
  if (options.json) terminal.printJson(published);
  else for (const line of policyLines(published)) terminal.print(line);
  return exitCodes.ok;
}

async function newestPolicy(api: Api, signal: AbortSignal): Promise<PolicyVersion | undefined> {
  return (await api.policies({ signal }))[0];
}

function policyLines({ index, digest, policy }: PolicyVersion): string[] {
  const { version, threshold, committeeSize, diversity, countOnceBy, trace, commitDeadlineSeconds, revealDeadlineSeconds } = policy;
  const traceless = trace.countTraceless ? "results without a trace count" : "results without a trace do not count";
  return [
    `in force    version ${version}, log entry ${index}, digest ${digest}`,
    `threshold   ${threshold} of ${committeeSize} operators must agree`,
    ...diversity.map(({ group, distinct }) => `diversity   those that agree must show ${distinct} values of ${group}`),
    ...countOnceBy.map((group) => `count once  operators of one ${group}`),
    `traces      ${trace.sharePercent} % of at least ${trace.minimumFiles} common files must be equal; ${traceless}`,
    `deadlines   ${commitDeadlineSeconds} s to commit, ${revealDeadlineSeconds} s to reveal`,
  ];
}
