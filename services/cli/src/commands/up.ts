import { exitCodes, type ExitCode } from "../command-error.ts";
import { type ConnectionOptions, dataDirectoryOf } from "../connection.ts";
import type { CommandContext } from "../context.ts";
import { formatDuration } from "../progress/duration.ts";
import { type Network, type NetworkEvent, startNetwork } from "../up/network.ts";
import { stopRequested } from "../up/stop-request.ts";

export type UpOptions = Pick<ConnectionOptions, "data"> & {
  port?: number | undefined;
  operators?: number | undefined;
  listen?: string | undefined;
  mirror?: string | undefined;
  json?: boolean | undefined;
};

/** `quorate up`: a whole network on this host, until Ctrl-C. */
export async function runUp(options: UpOptions, context: CommandContext): Promise<ExitCode> {
  const { terminal, signal } = context;
  const startedAt = performance.now();
  await using network = await bringUp(options, context);
  if (options.json)
    terminal.printJson({
      url: network.url,
      logUrl: network.logUrl,
      siteUrl: network.siteUrl,
      consoleUrl: network.consoleUrl,
      operators: network.operators,
      dataDirectory: network.layout.root,
    });
  else sayUp(network, (performance.now() - startedAt) / 1000, context);
  await stopRequested(signal, network, terminal);
  return exitCodes.ok;
}

export function bringUp(
  { port, operators, listen, mirror, ...where }: UpOptions,
  { terminal, env, signal }: CommandContext,
): Promise<Network> {
  const report = (event: NetworkEvent): void => {
    const line = eventLine(event);
    if (line !== undefined) terminal.say(line);
  };
  return startNetwork({ dataDirectory: dataDirectoryOf(where, env), port, operators, listen, mirror, env, report, signal });
}

function sayUp({ url, logUrl, siteUrl, consoleUrl, operators, layout }: Network, seconds: number, { terminal }: CommandContext): void {
  terminal.say(`network up in ${formatDuration(seconds)}: ${operators.length} operators (${operators.join(", ")}), all on this host`);
  terminal.say(`  pages   ${siteUrl}`);
  terminal.say(`  API     ${url}/v1`);
  terminal.say(`  log     ${logUrl}/checkpoint`);
  terminal.say(`  console ${consoleUrl} (for you: any name; the password is tokens.admin in ${layout.settings})`);
  terminal.say(`  data    ${layout.root} (child processes' logs in logs/, verifier's policy in policy)`);
  terminal.say(`  try     quorate submit debian/bookworm mailgraph --wait`);
  terminal.say(`Ctrl-C stops it; \`quorate up\` goes on where it was`);
}

/** Only what people need to know; a child that is ready is no news. */
export function eventLine(event: NetworkEvent): string | undefined {
  switch (event.kind) {
    case "created":
      return `new network in ${event.dataDirectory}`;
    case "crashed":
      return `${event.name} ended (${event.how}); starting it again in ${formatDuration(event.restartSeconds)}; its log: ${event.logPath}`;
    case "killed":
      return `${event.name} was killed: ${event.reason}`;
    case "ready":
      return undefined;
  }
}
