import { type Command, InvalidArgumentError } from "commander";
import type { ExitCode } from "./command-error.ts";

/** Where a command's exit code goes. */
export type Done = (exitCode: ExitCode) => void;

export const trustedRootOption = [
  "--trusted-root <file>",
  "trusted_root.json: whose certificates and timestamps you believe of operators without a key",
] as const;

export function withSnapshot(command: Command): Command {
  return command
    .option("--snapshot <directory>", "what quorate sync has kept; default /var/lib/quorate/snapshot")
    .option("--policy <file>", "your policy; default: the one that the snapshot was verified under")
    .option(
      "--freshness <seconds>",
      "what is known is out of date if a quorum cosigned it longer ago; default 259200",
      wholeNumber(1, 999_999),
    );
}

export function withUpOptions(command: Command): Command {
  return command
    .option("--data <directory>", "data directory; default ~/.local/share/quorate")
    .option("--port <port>", "port of the API; default 8420, then as before", wholeNumber(1, 65_535))
    .option("--operators <count>", "operators of this host; default 3, then as before", wholeNumber(1, 9))
    .option("--listen <host>", "serve others too: name or address by which they reach this host; default this host alone", hostName)
    .option("--mirror <url>", "archive mirror; default the one that this host's apt uses", archiveUrl)
    .option("--json", "print JSON");
}

export function withConnection(command: Command): Command {
  return command
    .option("--url <url>", "the network's API; default QUORATE_URL, then the network that runs on this host")
    .option("--data <directory>", "data directory of a network on this host; default ~/.local/share/quorate")
    .option("--json", "print JSON");
}

export function withLog(command: Command): Command {
  return withConnection(command).option("--log <url or directory>", "the log; default: the network's");
}

export function withPolicy(command: Command): Command {
  return command.option("--policy <file>", "keys of the log and its witnesses; default: the policy in the data directory");
}

export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^[1-9]\d{0,5}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}

export function listenAddress(text: string): { host: string; port: number } {
  const [, host = "127.0.0.1", digits] = /^(?:\[?([^\]]+)\]?:)?(0|[1-9]\d{0,4})$/.exec(text) ?? [];
  const port = Number(digits);
  if (port <= 65_535) return { host, port };
  throw new InvalidArgumentError("It must be a port, or a host or address and a port, such as 0.0.0.0:8080.");
}

function archiveUrl(text: string): string {
  if (URL.canParse(text) && /^(?:https?|file):$/.test(new URL(text).protocol)) return text;
  throw new InvalidArgumentError("It must be an http, https or file URL.");
}

function hostName(text: string): string {
  if (/^[0-9A-Za-z.-]{1,253}$/.test(text)) return text;
  throw new InvalidArgumentError("It must be a host name or an IPv4 address.");
}
