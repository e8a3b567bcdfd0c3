import { pathToFileURL } from "node:url";
import { logSourceOf, maxBundleBytes } from "@quorate/client/log-source";
import { createHttpApp } from "@quorate/service/http-app";
import { listen } from "@quorate/service/listen";
import { addLogRoutes } from "@quorate/service/log-routes";
import { createLogger } from "@quorate/service/logger";
import type { Terminal } from "../terminal.ts";
import type { Mirrored } from "./update-mirror.ts";

export type ServedMirror = AsyncDisposable & {
  readonly url: string;
  /** Readers may have this checkpoint: its files are there and were checked. */
  publish(mirrored: Mirrored): void;
};

/** Serves a mirror's directory as the log serves its own: 503 until a checkpoint is published. */
export async function serveMirror(directory: string, address: { host: string; port: number }, terminal: Terminal): Promise<ServedMirror> {
  let published: Mirrored | undefined;
  const logger = createLogger({ name: "mirror", level: "warn", destination: { write: (line) => terminal.say(line.trimEnd()) } });
  const readiness = {
    checkpoint: async () => {
      if (published === undefined) throw new Error("no checkpoint of the log has been copied and checked yet");
    },
  };
  const app = createHttpApp({ logger, readiness });
  const source = logSourceOf(pathToFileURL(directory).href);
  const files = { read: (path: string) => source(path, { maxBytes: maxBundleBytes }) };
  addLogRoutes(app, { files, published: () => published });
  const url = await listen(app, address);
  return {
    url,
    publish: (mirrored) => void (published = mirrored),
    [Symbol.asyncDispose]: async () => void (await app.close()),
  };
}
