import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseSha256 } from "@quorate/protocol/digest";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type DirectoryServer, serveDirectory } from "../../../test/serve-directory.ts";
import { fetchBytes, fetchToFile } from "./fetch.ts";

const bytes = Buffer.from("contents of a file");
const expected = { sha256: parseSha256(createHash("sha256").update(bytes).digest("hex")), sizeBytes: bytes.length };
let directory: string;
let server: DirectoryServer;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "fetch-"));
  await writeFile(join(directory, "file"), bytes);
  await writeFile(join(directory, "name_1%3a2.deb"), bytes);
  server = await serveDirectory(directory);
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const quick = { maxBytes: 1000, retryMilliseconds: 1 };

describe("fetching", () => {
  test("takes http and file URLs alike, and percent signs as part of a name", async () => {
    for (const root of [server.url, `file://${directory}`]) {
      expect(await fetchBytes(`${root}/file`, quick)).toMatchObject({ kind: "fetched", bytes });
      expect(await fetchBytes(`${root}/name_1%3a2.deb`, quick)).toMatchObject({ kind: "fetched", bytes });
      await expect(fetchBytes(`${root}/none`, quick)).rejects.toMatchObject({ code: "not-found" });
    }
  });

  test("asks whether a file has changed, and learns when it has", async () => {
    for (const root of [server.url, `file://${directory}`]) {
      await writeFile(join(directory, "file"), bytes);
      const first = await fetchBytes(`${root}/file`, quick);
      const known = first.kind === "fetched" ? first.validators : {};
      expect(await fetchBytes(`${root}/file`, { ...quick, known })).toEqual({ kind: "not-modified" });
      await writeFile(join(directory, "file"), "other contents");
      expect(await fetchBytes(`${root}/file`, { ...quick, known })).toMatchObject({
        kind: "fetched",
        bytes: Buffer.from("other contents"),
      });
    }
  });

  test("tries again when the server is in trouble, a bounded number of times", async () => {
    let answers = 0;
    server.answer = () => (++answers < 3 ? { status: 503 } : undefined);
    expect(await fetchBytes(`${server.url}/file`, quick)).toMatchObject({ kind: "fetched" });
    server.answer = () => ({ status: 503 });
    await expect(fetchBytes(`${server.url}/file`, quick)).rejects.toThrow("the server answered 503, after 3 attempts");
    expect(server.requests).toHaveLength(6);
  });

  test("does not insist when the answer was no", async () => {
    server.answer = () => ({ status: 403 });
    await expect(fetchBytes(`${server.url}/file`, quick)).rejects.toMatchObject({ code: "not-found" });
    expect(server.requests).toEqual(["/file 403"]);
  });

  test("stops at the size that was allowed", async () => {
    await expect(fetchBytes(`${server.url}/file`, { ...quick, maxBytes: 5 })).rejects.toMatchObject({ code: "too-large" });
  });

  test("says so when nothing listens", async () => {
    const silent = createServer().listen(0, "127.0.0.1");
    await once(silent, "listening");
    const address = silent.address();
    silent.close();
    await once(silent, "close");
    const port = typeof address === "object" ? address?.port : 0;
    await expect(fetchBytes(`http://127.0.0.1:${port}/file`, quick)).rejects.toMatchObject({ code: "unreachable" });
  });

  test("gives up at the deadline, and at once when it is aborted", async () => {
    const stuck = createServer(() => undefined).listen(0, "127.0.0.1");
    await once(stuck, "listening");
    const address = stuck.address();
    const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/file`;
    await expect(fetchBytes(url, { ...quick, deadlineSeconds: 0.05 })).rejects.toThrow("no complete answer within 0.05 s");
    const aborted = fetchBytes(url, { ...quick, signal: AbortSignal.abort(new Error("shutting down")) });
    await expect(aborted).rejects.toThrow("shutting down");
    stuck.closeAllConnections();
    stuck.close();
  });
});

describe("fetching to a file", () => {
  test("leaves the file when size and digest are right, and nothing else", async () => {
    await fetchToFile(`${server.url}/file`, { ...quick, path: join(directory, "got"), expected });
    expect(await readFile(join(directory, "got"))).toEqual(bytes);
    expect((await readdir(directory)).filter((name) => name.includes("part"))).toEqual([]);
  });

  test.each<[string, Uint8Array, string]>([
    ["other bytes of the same size", Buffer.from("contents of a fool"), "digest-differs"],
    ["fewer bytes", Buffer.from("contents"), "digest-differs"],
    ["more bytes", Buffer.from("contents of a file and more"), "digest-differs"],
  ])("refuses %s and leaves nothing", async (_, served, code) => {
    server.answer = () => ({ bytes: served });
    await expect(fetchToFile(`${server.url}/file`, { ...quick, path: join(directory, "got"), expected })).rejects.toMatchObject({ code });
    expect((await readdir(directory)).filter((name) => name.startsWith("got"))).toEqual([]);
  });
});
