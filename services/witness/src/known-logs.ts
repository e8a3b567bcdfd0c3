import { ParseError } from "@quorate/protocol/parse-error";
import { parseVkey } from "@quorate/tlog/note";
import type { NoteKey } from "@quorate/tlog/note";

/** The keys that are trusted for each origin. */
export type KnownLogs = ReadonlyMap<string, readonly NoteKey[]>;

/**
 * The logs that a witness follows, one a line; blank lines and lines that begin with `#` say nothing. Several keys of one origin are all trusted.
 *
 *     log quorate.dev/log+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW
 *
 * @throws ParseError
 */
export function parseKnownLogs(text: string): KnownLogs {
  const logs = new Map<string, NoteKey[]>();
  for (const line of text.split("\n").map((line) => line.trim())) {
    if (line === "" || line.startsWith("#")) continue;
    const [keyword, vkey, ...rest] = line.split(/\s+/);
    if (keyword !== "log" || vkey === undefined || rest.length > 0) throw new ParseError("line of a logs file (log <vkey>)", line);
    const key = parseVkey(vkey);
    if (key.algorithm === "cosignature") throw new ParseError("log's key (Ed25519 or ML-DSA-44, not a cosignature key)", vkey);
    logs.set(key.name, [...(logs.get(key.name) ?? []), key]);
  }
  if (logs.size === 0) throw new ParseError("logs file (at least one line log <vkey>)", text);
  return logs;
}
