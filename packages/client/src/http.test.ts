import { describe, expect, it } from "vitest";
import { z } from "zod";
import { ApiError, ConnectionError, request, requestJson } from "./http.ts";
import { serve } from "./local-server.fixture.ts";

describe("request", () => {
  it("turns a problem+json answer into an ApiError that says what was being done and why it failed", async () => {
    await using server = await serve((_, response) => {
      response.writeHead(404, { "content-type": "application/problem+json" });
      response.end(
        JSON.stringify({ type: "about:blank", title: "Not found", status: 404, detail: "no suite sid-x; there are bookworm, trixie" }),
      );
    });
    const error = await request({ doing: "submitting debian/sid-x hello", url: server.url }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 404, message: "submitting debian/sid-x hello: no suite sid-x; there are bookworm, trixie" });
  });

  it("says that nothing listens there", async () => {
    await expect(request({ doing: "reading the checkpoint", url: "http://127.0.0.1:1" })).rejects.toThrow(ConnectionError);
  });

  it("stops at its deadline and says so", async () => {
    await using server = await serve(() => {});
    await expect(request({ doing: "reading the checkpoint", url: server.url, deadlineSeconds: 0.05 })).rejects.toThrow(
      /^reading the checkpoint: no answer .* within 0.05 s$/,
    );
  });

  it("refuses an answer that is larger than its bound", async () => {
    await using server = await serve((_, response) => response.end("x".repeat(2000)));
    await expect(request({ doing: "reading a tile", url: server.url, maxBytes: 1000 })).rejects.toThrow(
      "reading a tile: the answer is larger than 1000 bytes",
    );
  });

  it("passes the caller's abort on unchanged", async () => {
    await using server = await serve(() => {});
    const reason = new Error("stopped by the user");
    await expect(request({ doing: "reading a tile", url: server.url, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

describe("requestJson", () => {
  it("refuses an answer that has another shape, naming where", async () => {
    await using server = await serve((_, response) => response.end('{"index":"three"}'));
    await expect(requestJson({ doing: "appending", url: server.url }, z.object({ index: z.int() }))).rejects.toThrow(
      /^appending: the answer is not what this version expects \(index: /,
    );
  });
});
