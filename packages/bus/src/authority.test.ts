import { decode } from "@nats-io/jwt";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createAuthority, loadAuthority, parseAuthority } from "./authority.ts";
import { formatServerConfig } from "./server-config.ts";
import { alice } from "./network.fixture.ts";
import { createUserKey, loadUserKey, mintUser } from "./user-credentials.ts";

let directory: string;
let file: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "quorate-authority-"));
  file = join(directory, "authority.json");
});
afterEach(() => rm(directory, { recursive: true }));

test("an authority is read back from its file as it was made", async () => {
  const made = await createAuthority(file);
  const loaded = await loadAuthority(file);
  const config = { host: "127.0.0.1", port: 4222, directory: "/srv/nats" };
  expect(formatServerConfig({ authority: loaded, ...config })).toBe(formatServerConfig({ authority: made, ...config }));
  expect(loaded.userSigner.getPublicKey()).toBe(made.userSigner.getPublicKey());
});

test("the file is its owner's alone and is never overwritten", async () => {
  await createAuthority(file);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  await expect(createAuthority(file)).rejects.toThrow(/never overwritten/);
});

test("an error about the file does not show its secrets", async () => {
  await createAuthority(file);
  const text = (await readFile(file, "utf8")).replace("nats-authority/v1", "nats-authority/v9");
  const seed = /"operatorSeed": "(\w+)"/.exec(text)?.[1] ?? "";
  expect(seed).toHaveLength(58);
  const thrown = await Promise.resolve(text).then(parseAuthority).catch(String);
  expect(thrown).toBe('ParseError: parsing NATS authority file: "(not shown)"');
});

test("the server's configuration holds no seed", async () => {
  const authority = await createAuthority(file);
  expect(formatServerConfig({ authority, host: "127.0.0.1", port: -1, directory: "/srv/nats" })).not.toMatch(/\bS[OAU][A-Z2-7]{56}\b/);
});

test("a user's JWT is for the key that was asked for, expires, and allows the operator's own subjects only", async () => {
  const authority = await createAuthority(file);
  const key = createUserKey();
  const expiresAt = new Date("2026-12-01T00:00:00Z");
  const claims = decode<{ pub: { allow: string[] }; sub: { allow: string[] } }>(
    await mintUser({ authority, operator: alice, userKey: key.publicKey, expiresAt }),
  );
  expect(claims.sub).toBe(key.publicKey);
  expect(claims.exp).toBe(expiresAt.getTime() / 1000);
  const allowed = [...(claims.nats.pub?.allow ?? []), ...(claims.nats.sub?.allow ?? [])];
  expect(allowed).toHaveLength(7);
  for (const subject of allowed) expect(subject).toContain(alice);
});

test("the seed of a key that is not a user's is no user key", async () => {
  const key = createUserKey();
  expect(loadUserKey(key.seed)).toEqual(key);
  await createAuthority(file);
  const seed = /"accountSeed": "(\w+)"/.exec(await readFile(file, "utf8"))?.[1] ?? "";
  expect(() => loadUserKey(seed)).toThrow(/another kind of key/);
});
