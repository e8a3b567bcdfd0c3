import { execFile } from "node:child_process";
import { appendFile, chmod, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ReproducedPackages, audit } from "../audited-host.ts";
import { basePackages } from "../base-packages.ts";
import { createSmallArchive } from "../small-archive.ts";

const run = promisify(execFile);

let directory = "";
let network: ReproducedPackages;
let debs: string[] = [];
const root = () => join(directory, "root");
const snapshot = () => join(directory, "snapshot");

/** A real Debian system: what a build chroot is made of, with maintainer scripts, alternatives, a merged /usr. */
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "quorate-audit-"));
  const base = await basePackages();
  debs = (await readdir(base.directory)).filter((name) => name.endsWith(".deb")).map((name) => join(base.directory, name));
  network = await ReproducedPackages.start(directory);
  for (const deb of debs) await network.reproduce(deb);
  await network.publish();
  await network.sync(snapshot());
  await using archive = await createSmallArchive({ directory, suite: base.suite, sources: [], packages: base.directory });
  const source = `deb [signed-by=${archive.keyring}] copy://${archive.root} ${base.suite} main`;
  await chmod(directory, 0o755);
  await run("mmdebstrap", ["--mode=root", "--variant=buildd", base.suite, root(), source], { maxBuffer: 1 << 26 });
});
afterAll(async () => {
  await network?.[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const inRoot = (...words: string[]) => run("chroot", [root(), ...words], { env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" } });

test("a Debian system as it was installed has no alert", async () => {
  const answer = await audit(root(), snapshot());
  expect(answer).toMatchObject({ code: 0, outcome: "clean", findings: [] });
  expect(answer.packages.length).toBeGreaterThan(120);
  expect(answer.counts["verified"]).toBeGreaterThan(10_000);
});

test("nor has it one after an administrator's work with dpkg's own tools", async () => {
  await appendFile(join(root(), "etc/bash.bashrc"), "# mine\n");
  await rm(join(root(), "etc/issue"));
  await inRoot("dpkg-divert", "--local", "--rename", "--divert", "/usr/bin/tac.distrib", "--add", "/usr/bin/tac");
  await inRoot("dpkg-statoverride", "--update", "--add", "root", "mail", "0750", "/usr/bin/wall");
  await inRoot("update-alternatives", "--set", "pager", "/bin/more");
  await inRoot("ldconfig");
  await inRoot("dpkg", "--configure", "--pending");
  await writeFile(join(root(), "etc/local.conf"), "mine\n");
  const answer = await audit(root(), snapshot());
  expect(answer).toMatchObject({ code: 0, outcome: "clean", findings: [] });
  expect(answer.counts).toMatchObject({ "locally-configured": 2, overridden: 1 });
});

test("nor has the same system as a tar", async () => {
  const tar = join(directory, "root.tar");
  await run("tar", ["-C", root(), "--numeric-owner", "--one-file-system", "-cf", tar, "."]);
  expect(await audit({ tar }, snapshot())).toMatchObject({ code: 0, outcome: "clean", findings: [] });
});

test("one byte of one of its libraries is found", async () => {
  const { stdout } = await inRoot("sh", "-c", "ls /usr/lib/*/libc.so.6");
  const path = stdout.trim().slice(1);
  await appendFile(join(root(), path), "\0");
  expect(await audit(root(), snapshot())).toMatchObject({ code: 2, findings: [{ class: "modified", path }] });
});
