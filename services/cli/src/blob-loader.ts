import { stat } from "node:fs/promises";
import { join } from "node:path";
import { loadBlobFile } from "@quorate/client/blob-directory";
import { createBlobs } from "@quorate/client/blobs";
import { ConnectionError } from "@quorate/client/http";
import type { Sha256 } from "@quorate/protocol/digest";
import type { LoadBlob } from "@quorate/verdict/replay-verdict";
import { type ConnectionOptions, dataDirectoryOf, findConnection } from "./connection.ts";
import type { CommandContext } from "./context.ts";
import { layoutOf } from "./up/layout.ts";

/** Build traces, manifests and large envelopes come from the network that is known, or from the data directory of one that is stopped. */
export function blobLoaderOf(options: ConnectionOptions, apiUrl: string | undefined, { env, signal }: CommandContext): LoadBlob {
  if (apiUrl !== undefined) {
    const blobs = createBlobs({ url: apiUrl });
    return (sha256) => blobs.get(sha256, { signal });
  }
  const directory = blobDirectoryOf(options, env);
  return async (sha256) => {
    const bytes = await loadBlobFile(directory, sha256);
    if (bytes !== undefined) return bytes;
    throw new MissingBlobError(sha256, directory);
  };
}

/** The data directory of a stopped network does not have it. */
export class MissingBlobError extends ConnectionError {
  constructor(sha256: Sha256, directory: string) {
    const reason = `a build trace or a large envelope is needed, and not in ${directory}; set QUORATE_URL to the network that has it`;
    super(`reading blob ${sha256}`, reason);
    this.name = "MissingBlobError";
  }
}

/** As `blobLoaderOf`, or undefined when no network is known here, running or stopped. */
export async function findBlobLoader(options: ConnectionOptions, context: CommandContext): Promise<LoadBlob | undefined> {
  const api = await findConnection(options, context.env);
  const found = await stat(blobDirectoryOf(options, context.env)).catch(() => undefined);
  return api || found?.isDirectory() ? blobLoaderOf(options, api?.url, context) : undefined;
}

function blobDirectoryOf(options: ConnectionOptions, env: CommandContext["env"]): string {
  return join(layoutOf(dataDirectoryOf(options, env)).directory("coordinator"), "blobs");
}
