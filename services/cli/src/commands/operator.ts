import { resolve } from "node:path";
import { createApi } from "@quorate/client/api";
import { ApiError } from "@quorate/client/http";
import { groupKinds, type Groups } from "@quorate/protocol/operator";
import type { OperatorView } from "@quorate/protocol/operator-view";
import { textOf } from "@quorate/protocol/utf8";
import { signOperatorStatement } from "@quorate/signing/envelope";
import {
  createOperatorDirectory,
  isOperatorDirectory,
  type JoinedNetwork,
  type KeylessProfile,
  loadJoinedNetwork,
  loadOperatorDirectory,
  loadOperatorProfile,
  type OperatorIdentity,
  type OperatorProfile,
  openNextIdentity,
  rotationOf,
} from "@quorate/signing/operator-directory";
import { CommandError, exitCodes, type ExitCode } from "../command-error.ts";
import { parseNetworkUrl } from "../connection.ts";
import type { CommandContext } from "../context.ts";
import { architecturesOf } from "@quorate/protocol/host-architectures";
import { connectionLines } from "../operator/connection-lines.ts";
import { type OperatorOptions, operatorDirectoryOf } from "../operator/operator-location.ts";
import { loadPassphrase } from "../operator/passphrase.ts";
import { sendEnrolment } from "../operator/send-enrolment.ts";

export type InitOptions = OperatorOptions & {
  name: string;
  contact?: string | undefined;
  hostname?: string | undefined;
  witness?: string | undefined;
  architecture?: string[] | undefined;
  keylessIssuer?: string | undefined;
  keylessSubject?: string | undefined;
  keylessTokenFile?: string | undefined;
  fulcio?: string | undefined;
  timestampAuthority?: string | undefined;
  json?: boolean | undefined;
} & { [Kind in (typeof groupKinds)[number]]?: string | undefined };

type Options = OperatorOptions & { json?: boolean | undefined };

/** `quorate operator init`: keys that never leave this machine, and what the operator says of itself. */
export async function runOperatorInit(options: InitOptions, { terminal, env }: CommandContext): Promise<ExitCode> {
  const directory = operatorDirectoryOf(options, env);
  if (isOperatorDirectory(directory)) {
    const { name, operator } = loadOperatorProfile(directory);
    throw new CommandError(
      `making an operator in ${directory}: ${name} (${operator}) is there already; name another directory with --operator`,
    );
  }
  const { name, contact, hostname, witness: witnessVkey } = options;
  const said = {
    name,
    contact,
    hostname,
    witnessVkey,
    groups: groupsOf(options),
    architectures: options.architecture ?? architecturesOf(process.arch),
    keyless: keylessOf(options),
  };
  const passphrase = await loadPassphrase(options, env);
  const { profile } = createOperatorDirectory(directory, said, passphrase);
  if (options.json) terminal.printJson({ directory, ...profile });
  else {
    terminal.print(`operator   ${profile.operator}  ${profile.name}`);
    for (const line of keyLines(directory, profile, passphrase !== undefined)) terminal.print(line);
    terminal.print(`builds     ${profile.architectures.join(", ")}`);
    terminal.print(`next       quorate operator enrol URL`);
  }
  return exitCodes.ok;
}

/** `quorate operator enrol URL` */
export async function runOperatorEnrol(
  url: string,
  options: Options & { invitation?: string | undefined },
  context: CommandContext,
): Promise<ExitCode> {
  const { terminal, env, signal } = context;
  const directory = operatorDirectoryOf(options, env);
  const identity = loadOperatorDirectory(directory, await loadPassphrase(options, env));
  const api = createApi({ url: parseNetworkUrl(url) });
  const view = await sendEnrolment({ directory, identity, api, invitation: options.invitation, signal });
  if (options.json) terminal.printJson(view);
  else for (const line of stateLines(view, api.url)) terminal.print(line);
  if (view.state === "refused") return exitCodes.failed;
  return exitCodes.ok;
}

/** `quorate operator status` */
export async function runOperatorStatus(options: Options, { terminal, env, signal }: CommandContext): Promise<ExitCode> {
  const directory = operatorDirectoryOf(options, env);
  const profile = loadOperatorProfile(directory);
  const network = loadJoinedNetwork(directory);
  const api = network && createApi({ url: network.url });
  const view = api && (await api.operator(profile.operator, { signal }).catch(unlessUnknown));
  const workers = (await api?.workers({ signal }))?.filter(({ operator }) => operator === profile.operator) ?? [];
  if (options.json) terminal.printJson({ directory, profile, network, state: view, workers });
  else {
    terminal.print(`operator   ${profile.operator}  ${profile.name}`);
    terminal.print(`directory  ${directory}`);
    for (const line of view && network ? stateLines(view, network.url) : ["state      not enrolled; next: quorate operator enrol URL"])
      terminal.print(line);
    for (const { worker, name, state, renewedAt } of workers)
      terminal.print(`worker     ${worker}  ${name}, ${state}, last registered ${renewedAt}`);
  }
  return exitCodes.ok;
}

/** `quorate operator rotate`: new keys, signed by the old one and the new one. */
export async function runOperatorRotate(options: Options, { terminal, env, signal }: CommandContext): Promise<ExitCode> {
  const passphrase = await loadPassphrase(options, env);
  const { directory, identity, network } = await openJoined(options, passphrase, env);
  if (identity.profile.keyless) throw new CommandError("changing keys: this operator is keyless and has none; its issuer says who it is");
  const next = openNextIdentity(directory, passphrase);
  const predicate = rotationOf(identity.profile.operator, next.signer);
  const envelope = textOf(await signOperatorStatement({ kind: "operator", predicate }, [identity.signer, next.signer]));
  const view = await createApi({ url: network.url }).sendOperatorStatement({ envelope }, { signal });
  const retired = next.replace();
  if (options.json) terminal.printJson(view);
  else {
    terminal.print(`operator   ${view.operator} signs with a new key from now on; its id stays`);
    terminal.print(`keys       ${directory}/identity.pem is the new one: make a new backup; the old one is ${retired}`);
    terminal.print(`workers    those that run end by themselves: start them again, with the new key`);
    for (const line of connectionLines(view.connectionsEnd)) terminal.print(line);
  }
  return exitCodes.ok;
}

/** `quorate operator revoke`: this operator's voice ends, for ever. */
export async function runOperatorRevoke(
  options: Options & { reason: string },
  { terminal, env, signal }: CommandContext,
): Promise<ExitCode> {
  const { identity, network } = await openJoined(options, await loadPassphrase(options, env), env);
  const predicate = { action: "revoke", operator: identity.profile.operator, reason: options.reason } as const;
  const envelope = textOf(await signOperatorStatement({ kind: "operator", predicate }, [identity.signer]));
  const view = await createApi({ url: network.url }).sendOperatorStatement({ envelope }, { signal });
  if (options.json) terminal.printJson(view);
  else {
    terminal.print(
      `operator   ${view.operator} has left the network: entry ${view.revokedIndex} of the log; results after it do not count`,
    );
    for (const line of connectionLines(view.connectionsEnd)) terminal.print(line);
  }
  return exitCodes.ok;
}

type Joined = { directory: string; identity: OperatorIdentity; network: JoinedNetwork };

async function openJoined(options: OperatorOptions, passphrase: string | undefined, env: CommandContext["env"]): Promise<Joined> {
  const directory = operatorDirectoryOf(options, env);
  const identity = loadOperatorDirectory(directory, passphrase);
  const network = loadJoinedNetwork(directory);
  if (!network)
    throw new CommandError(`opening the operator in ${directory}: it has not joined a network; run: quorate operator enrol URL`);
  return { directory, identity, network };
}

function keylessOf({
  keylessIssuer: issuer,
  keylessSubject: subject,
  keylessTokenFile: tokenFile,
  fulcio,
  timestampAuthority,
}: InitOptions): KeylessProfile | undefined {
  const given = [issuer, subject, tokenFile, fulcio, timestampAuthority];
  if (given.every((option) => option === undefined)) return undefined;
  if (issuer && subject && tokenFile && fulcio && timestampAuthority) {
    return { issuer, subject, tokenFile: resolve(tokenFile), fulcioUrl: fulcio, timestampUrl: timestampAuthority };
  }
  const needed = "--keyless-issuer, --keyless-subject, --keyless-token-file, --fulcio and --timestamp-authority";
  throw new CommandError(`making a keyless operator: all of ${needed} are needed`);
}

function keyLines(directory: string, { keyless }: OperatorProfile, isEncrypted: boolean): string[] {
  const how = isEncrypted ? "encrypted" : "without a passphrase";
  if (keyless) {
    return [
      `identity   ${keyless.subject}, as ${keyless.issuer} knows it: whoever gets its tokens is this operator`,
      `keys       ${directory}/link.pem, ${how}; a result is signed with a key of its own that ${keyless.fulcioUrl} certifies`,
    ];
  }
  return [
    `keys       ${directory}/identity.pem and link.pem, ${how}`,
    `           they never leave this machine by themselves: whoever has them is this operator, so keep a backup where only you can read it`,
  ];
}

function groupsOf(options: InitOptions): Groups {
  return Object.fromEntries(groupKinds.flatMap((kind) => (options[kind] === undefined ? [] : [[kind, options[kind]]])));
}

function stateLines(view: OperatorView, url: string): string[] {
  switch (view.state) {
    case "pending":
      return [
        `state      waiting to be admitted by whoever runs ${url}; tell them your id: ${view.operator}`,
        `next       quorate worker (it waits, and begins by itself)`,
      ];
    case "refused":
      return [`state      refused by whoever runs ${url}: ${view.reason ?? "no reason is given"}`];
    case "admitted":
      return [`state      admitted to ${url}: entry ${view.enrolledIndex} of its log`, `next       quorate worker`];
    case "revoked":
      return [`state      revoked: entry ${view.revokedIndex} of the log of ${url}`];
  }
}

function unlessUnknown(error: unknown): undefined {
  if (error instanceof ApiError && error.status === 404) return undefined;
  throw error;
}
