import "../interpreted-schemas.ts";
import { Socket } from "node:net";
import { type AptHookMessage, formatAptHello, parseAptHookMessage } from "@quorate/debian/apt-json-hook";
import { decideGate } from "@quorate/host/gate";
import type { GateSettings } from "@quorate/host/gate-settings";
import { CommandError, errorLine, exitCodes, type ExitCode } from "../command-error.ts";
import type { CommandContext } from "../context.ts";
import { gatePackages, gatedLine } from "../gate-packages.ts";
import { requireGateSettings } from "../gate-settings-file.ts";
import { openSnapshot } from "../host-snapshot.ts";

const maxMessageChars = 256 * 2 ** 20;
const linesShown = 20;

/** `quorate gate prompt`: what apt runs before it asks whether to go on: says what the gate will find. apt goes on whatever happens here. */
export async function runGatePrompt({ settings: path }: { settings: string }, context: CommandContext): Promise<ExitCode> {
  const { terminal, env, signal } = context;
  try {
    const descriptor = env["APT_HOOK_SOCKET"];
    if (descriptor === undefined) throw new CommandError("asking the gate: APT_HOOK_SOCKET is not set; it is apt that runs this");
    using socket = holdSocket(Number(descriptor));
    await answerApt(socket.connection, async (packages) => sayForeseen(packages, await requireGateSettings(path), context));
  } catch (error) {
    signal.throwIfAborted();
    terminal.say(`quorate: asking the gate: ${errorLine(error)}`);
  }
  return exitCodes.ok;
}

function holdSocket(fd: number): { connection: Socket } & Disposable {
  const connection = new Socket({ fd, readable: true, writable: true });
  return { connection, [Symbol.dispose]: () => void connection.destroy() };
}

/** Protocol 0.2 has a message right before the prompt; 0.1 only the one before the list of packages. */
async function answerApt(socket: Socket, say: (packages: AptHookMessage["packages"]) => Promise<void>): Promise<void> {
  let moment = "";
  for await (const text of messagesOf(socket)) {
    const { method, id, versions, packages } = parseAptHookMessage(text);
    if (method === "hello" && id !== undefined) {
      const version = versions.includes("0.2") ? "0.2" : "0.1";
      moment = version === "0.2" ? "install.statistics" : "install.pre-prompt";
      socket.write(formatAptHello(id, version));
    }
    if (method === "bye") return;
    if (method === moment && packages.length > 0) await say(packages);
  }
}

/** Each message ends with an empty line. */
async function* messagesOf(socket: Socket): AsyncGenerator<string> {
  let held = "";
  socket.setEncoding("utf8");
  for await (const chunk of socket as AsyncIterable<string>) {
    held += chunk;
    if (held.length > maxMessageChars)
      throw new RangeError(`reading what apt says: a message is longer than ${maxMessageChars} characters`);
    const messages = held.split("\n\n");
    held = messages.pop() ?? "";
    yield* messages;
  }
}

async function sayForeseen(packages: AptHookMessage["packages"], settings: GateSettings, { terminal }: CommandContext): Promise<void> {
  const snapshot = await openSnapshot({ snapshot: settings.snapshot, freshness: settings.freshnessSeconds });
  const results = gatePackages(packages, { snapshot, exceptions: settings.exceptions });
  const others = results.filter(({ kind }) => kind !== "verified");
  const shown = settings.mode === "observe" ? [] : others.slice(0, linesShown);
  for (const result of shown) terminal.say(`quorate: ${gatedLine(result)}`);
  if (shown.length > 0 && others.length > shown.length) terminal.say(`quorate: and ${others.length - shown.length} more`);
  terminal.say(`quorate: independent operators rebuilt ${results.length - others.length} of these ${results.length} packages`);
  const { freshness } = snapshot;
  if (freshness.kind !== "fresh") terminal.say(`quorate: ${freshness.reason}; run quorate sync`);
  if (decideGate(settings.mode, results, freshness.kind === "fresh") === "stop")
    terminal.say("quorate: apt will be stopped before anything is unpacked");
}
