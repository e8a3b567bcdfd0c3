import { ConnectionError } from "@quorate/client/http";
import { type LogSource, maxTileBytes } from "@quorate/client/log-source";
import { parseTilePath, tilePath, tileWidth } from "@quorate/tlog/tile";

/** Where only the full tile is left, that one is read. */
export async function readTile(source: LogSource, path: string, signal: AbortSignal): Promise<Uint8Array> {
  const full = tilePath({ ...parseTilePath(path), width: tileWidth });
  const options = { maxBytes: maxTileBytes, signal };
  const bytes = (await source(path, options)) ?? (full === path ? undefined : await source(full, options));
  if (bytes === undefined) throw new ConnectionError(`reading ${path} of the log`, "it is missing");
  return bytes;
}
