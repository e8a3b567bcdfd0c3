import { type GateSettings, parseGateSettings } from "@quorate/host/gate-settings";
import { ParseError } from "@quorate/protocol/parse-error";
import { CommandError, errorLine } from "./command-error.ts";
import { readIfThere } from "./own-files.ts";

/** `undefined` where there are none. @throws CommandError for settings that are damaged */
export async function loadGateSettings(path: string): Promise<GateSettings | undefined> {
  const text = await readIfThere(path);
  try {
    return text === undefined ? undefined : parseGateSettings(text);
  } catch (cause) {
    if (cause instanceof ParseError) throw new CommandError(`reading ${path}: ${errorLine(cause)}`, { cause });
    throw cause;
  }
}

/** As `loadGateSettings`, of a gate that is installed. */
export async function requireGateSettings(path: string): Promise<GateSettings> {
  const settings = await loadGateSettings(path);
  if (settings === undefined) throw new CommandError(`asking the gate: ${path} is missing; run quorate gate install`);
  return settings;
}
