import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSmallArchive, type SmallArchive } from "../../../test/small-archive.ts";
import { verifyInRelease } from "./in-release.ts";

const run = promisify(execFile);
const now = new Date();
let directory: string;
let archive: SmallArchive;
let stranger: SmallArchive;
let signed: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "in-release-"));
  archive = await createSmallArchive({ directory: join(directory, "own"), suite: "small", sources: [] });
  stranger = await createSmallArchive({ directory: join(directory, "stranger"), suite: "small", sources: [] });
  signed = await readFile(join(archive.root, "dists/small/InRelease"), "utf8");
});

afterAll(async () => {
  await archive[Symbol.asyncDispose]();
  await stranger[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

/** What gpgv says of the same file and keyring. */
async function acceptedByGpgv(text: string, keyring: string): Promise<boolean> {
  const path = join(directory, "InRelease");
  await writeFile(path, text);
  return await run("gpgv", ["--keyring", keyring, path]).then(
    () => true,
    () => false,
  );
}

const verify = async (text: string, keyrings: readonly string[] = [archive.keyring]) =>
  await verifyInRelease(new TextEncoder().encode(text), keyrings, now);

describe("an InRelease file", () => {
  test("is taken when a key of the keyring signed it, as gpgv takes it", async () => {
    expect(await acceptedByGpgv(signed, archive.keyring)).toBe(true);
    const { release, signedBy } = await verify(signed);
    expect(release).toMatchObject({ suite: "small", acquireByHash: true });
    const { stdout } = await run("gpg", ["--show-keys", "--with-colons", archive.keyring]);
    expect(signedBy).toEqual([/^fpr:+([0-9A-F]+):$/m.exec(stdout)?.[1]]);
  });

  test("is taken when only one of several keyrings has the key", async () => {
    expect((await verify(signed, [stranger.keyring, archive.keyring])).signedBy).toHaveLength(1);
  });

  test("is refused with the keyring of somebody else, as gpgv refuses it", async () => {
    expect(await acceptedByGpgv(signed, stranger.keyring)).toBe(false);
    await expect(verify(signed, [stranger.keyring])).rejects.toMatchObject({ code: "not-signed" });
  });

  test("is refused when a character of the signed text was altered, as gpgv refuses it", async () => {
    const altered = signed.replace("Suite: small", "Suite: smell");
    expect(await acceptedByGpgv(altered, archive.keyring)).toBe(false);
    await expect(verify(altered)).rejects.toMatchObject({ code: "not-signed" });
  });

  test.each<[string, (text: string) => string]>([
    ["has text before the signed message", (text) => `Origin: Evil\n\n${text}`],
    ["has text after the signature", (text) => `${text}\nOrigin: Evil\n`],
    ["is two messages", (text) => text + text],
    ["is unsigned", (text) => text.slice(text.indexOf("\n\n") + 2, text.indexOf("-----BEGIN PGP SIGNATURE"))],
    ["was cut off", (text) => text.slice(0, -80)],
    ["is empty", () => ""],
  ])("that %s is refused", async (_, change) => {
    await expect(verify(change(signed))).rejects.toMatchObject({ code: "not-signed" });
  });

  test("that is not UTF-8 is refused", async () => {
    await expect(verifyInRelease(Uint8Array.of(0xff, 0xfe), [archive.keyring], now)).rejects.toMatchObject({ code: "malformed" });
  });

  test("a keyring that is missing or holds no keys is named", async () => {
    await expect(verify(signed, ["/nonexistent/keyring.gpg"])).rejects.toThrow("reading the keyring /nonexistent/keyring.gpg");
    await expect(verify(signed, [join(archive.root, "dists/small/Release")])).rejects.toThrow("name a file of OpenPGP keys");
  });
});
