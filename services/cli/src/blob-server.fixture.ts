import { createHttpApp } from "@quorate/service/http-app";
import { listen } from "@quorate/service/listen";
import { silentLogger } from "@quorate/service/logger";
import { z } from "zod";

const params = z.object({ sha256: z.string() });

/** For tests: a network that has blobs and nothing else; `onBlob` is called when it is asked for one. */
export async function serveBlobs(
  blobs: ReadonlyMap<string, Uint8Array>,
  onBlob: () => void = () => {},
): Promise<AsyncDisposable & { readonly url: string }> {
  const app = createHttpApp({ logger: silentLogger });
  app.get("/v1/blobs/sha256/:sha256", { schema: { params } }, async (request, reply) => {
    onBlob();
    const blob = blobs.get(request.params.sha256);
    return blob === undefined ? reply.callNotFound() : reply.type("application/octet-stream").send(blob);
  });
  const url = await listen(app, { host: "127.0.0.1", port: 0 });
  return { url, [Symbol.asyncDispose]: async () => app.close() };
}
