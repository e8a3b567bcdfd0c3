import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import {
  appendFile,
  chmod,
  chown,
  copyFile,
  cp,
  link,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rename,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { auditTree } from "@quorate/host/audit";
import { decideOutcome } from "@quorate/host/audit-outcome";
import { DirectoryTree } from "@quorate/host/directory-tree";
import { FileHasher } from "@quorate/host/file-hasher";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openSnapshot } from "../../services/cli/src/host-snapshot.ts";
import { type AuditAnswer, ReproducedPackages, anyAge, audit, createRoot, installDebs } from "../audited-host.ts";
import { buildSmallDeb } from "../small-deb.ts";

const run = promisify(execFile);

let directory = "";
let network: ReproducedPackages;
let tool = "";
let upgrade = "";
const clean = () => join(directory, "clean");
const snapshot = () => join(directory, "snapshot");

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "quorate-tamper-"));
  network = await ReproducedPackages.start(directory);
  tool = await buildSmallDeb(directory, {
    name: "tool",
    files: {
      "usr/bin/tool": "#!/bin/sh\necho tool\n",
      "bin/oldtool": "#!/bin/sh\necho old\n",
      "usr/bin/alias": "-> tool",
      "usr/lib/tool/part.py": "print('part')\n",
      "usr/lib/tool/a b%é": "odd name\n",
      "etc/tool.conf": "setting = 1\n",
      "usr/share/doc/tool/README": "read me\n",
    },
    modes: { "usr/bin/tool": 0o4755 },
    conffiles: ["etc/tool.conf"],
    scripts: { postinst: "#!/bin/sh\nexit 0\n" },
  });
  const other = await buildSmallDeb(directory, {
    name: "other",
    files: { "usr/bin/other": "other\n", "usr/share/doc/other/README": "other\n" },
  });
  upgrade = await buildSmallDeb(directory, {
    name: "tool",
    version: "2.0",
    files: { "usr/bin/tool": "#!/bin/sh\necho newer\n", "usr/bin/added": "added\n", "etc/tool.conf": "setting = 2\n" },
    conffiles: ["etc/tool.conf"],
  });
  for (const deb of [tool, other, upgrade]) await network.reproduce(deb);
  await network.publish();
  await network.sync(snapshot());
  await createRoot(clean());
  await installDebs(clean(), [tool, other]);
});
afterAll(async () => {
  await network?.[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

async function copyClean(): Promise<string> {
  const root = join(await mkdtemp(join(directory, "root-")), "root");
  await cp(clean(), root, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  await chmod(join(root, "usr/bin/tool"), 0o4755);
  return root;
}

/** Audits a copy of the clean root in which something was changed. */
async function auditAfter(change: (root: string) => Promise<unknown>): Promise<AuditAnswer> {
  const root = await copyClean();
  await change(root);
  return audit(root, snapshot());
}

const found = ({ findings }: AuditAnswer) => findings.map((finding) => `${finding.class} ${finding.path}`);

test("a root that nobody tampered with has no finding, and exit code 0", async () => {
  const answer = await auditAfter(async () => {});
  expect(found(answer)).toEqual([]);
  expect(answer).toMatchObject({ code: 0, outcome: "clean" });
  expect(answer.counts["verified"]).toBeGreaterThan(10);
});

describe("tampering is found, with its class and exit code 2", () => {
  test.each<[string, (root: string) => Promise<unknown>, string]>([
    ["bytes are appended to a program", (root) => appendFile(join(root, "usr/bin/other"), "evil\n"), "modified usr/bin/other"],
    [
      "a byte of a program is another, and its size and time are not",
      (root) => writeFile(join(root, "usr/bin/other"), "0ther\n"),
      "modified usr/bin/other",
    ],
    [
      "a program behind the link of a merged /usr is changed",
      (root) => writeFile(join(root, "bin/oldtool"), "evil\n"),
      "modified usr/bin/oldtool",
    ],
    [
      "a file whose name is no word is changed",
      (root) => writeFile(join(root, "usr/lib/tool/a b%é"), "odd!name\n"),
      "modified usr/lib/tool/a b%é",
    ],
    [
      "a program is replaced by a link",
      (root) => replace(root, "usr/bin/other", (path) => symlink("/tmp/evil", path)),
      "replaced usr/bin/other",
    ],
    ["a program is replaced by a directory", (root) => replace(root, "usr/bin/other", (path) => mkdir(path)), "replaced usr/bin/other"],
    [
      "a program is replaced by another package's",
      (root) => copyFile(join(root, "usr/bin/tool"), join(root, "usr/bin/other")),
      "modified usr/bin/other",
    ],
    [
      "a program is replaced by a hard link to another package's",
      (root) => replace(root, "usr/bin/other", (path) => link(join(root, "usr/bin/tool"), path)),
      "modified usr/bin/other",
    ],
    [
      "a program is replaced by a named pipe",
      (root) => replace(root, "usr/bin/other", (path) => run("mkfifo", [path])),
      "replaced usr/bin/other",
    ],
    ["a directory of a package is replaced by a link to other files", plantDirectory, "modified var/evil/part.py"],
    ["a link leads elsewhere", (root) => replace(root, "usr/bin/alias", (path) => symlink("/tmp/evil", path)), "replaced usr/bin/alias"],
    ["a program runs as its owner", (root) => chmod(join(root, "usr/bin/other"), 0o4755), "setuid-added usr/bin/other"],
    ["a program runs as its group", (root) => chmod(join(root, "usr/bin/other"), 0o2755), "setuid-added usr/bin/other"],
    ["everybody may write to a program", (root) => chmod(join(root, "usr/bin/other"), 0o757), "write-allowed usr/bin/other"],
    ["everybody may write to a directory of programs", (root) => chmod(join(root, "usr/bin"), 0o777), "write-allowed usr/bin"],
    ["a program is added", (root) => writeFile(join(root, "usr/bin/evil"), "evil"), "unowned usr/bin/evil"],
    ["a library is added", (root) => writeFile(join(root, "usr/lib/libevil.so"), "evil"), "unowned usr/lib/libevil.so"],
    [
      "a library is loaded into every program",
      (root) => writeFile(join(root, "etc/ld.so.preload"), "/tmp/evil.so\n"),
      "unowned etc/ld.so.preload",
    ],
    ["an alternative leads to what is in no package", plantAlternative, "unowned usr/bin/chosen"],
    ["byte code has no source", plantByteCode, "unowned usr/lib/tool/__pycache__/evil.cpython-311.pyc"],
    ["a program is diverted, and another put in its place", plantDiversion, "unowned usr/bin/other"],
  ])("%s", async (_what, change, finding) => {
    const answer = await auditAfter(change);
    expect(found(answer)).toContain(finding);
    expect(answer).toMatchObject({ code: 2, outcome: "tampering" });
  });
});

describe("tampering with dpkg's own database is found", () => {
  const info = "var/lib/dpkg/info";
  test.each<[string, (root: string) => Promise<unknown>, string]>([
    [
      "a maintainer script is changed",
      (root) => appendFile(join(root, info, "tool.postinst"), "evil\n"),
      `database-modified ${info}/tool.postinst`,
    ],
    [
      "a maintainer script is added",
      (root) => writeFile(join(root, info, "other.postrm"), "evil\n"),
      `database-modified ${info}/other.postrm`,
    ],
    ["a maintainer script is removed", (root) => rm(join(root, info, "tool.postinst")), `database-modified ${info}/tool.postinst`],
    [
      "the list of conffiles is changed",
      (root) => writeFile(join(root, info, "tool.conffiles"), "/usr/bin/tool\n"),
      `database-modified ${info}/tool.conffiles`,
    ],
    ["a program is added to a package's list", plantInList, "unowned usr/bin/evil"],
    ["an override makes a program run as its owner", plantOverride, "setuid-added usr/bin/other"],
    ["an override lets everybody write to a program", plantWritableOverride, "write-allowed usr/bin/other"],
    ["a program is changed, and dpkg's checksum of it too", plantChecksum, "modified usr/bin/other"],
    ["a package is called a newer version than it is", claimNewerVersion, "modified usr/bin/tool"],
    ["a package is taken out of the database", (root) => writeFile(join(root, "var/lib/dpkg/status"), ""), "unowned usr/bin/other"],
  ])("%s", async (_what, change, finding) => {
    const answer = await auditAfter(change);
    expect(found(answer)).toContain(finding);
    expect(answer.code).toBe(2);
  });

  test("a version that nobody has reproduced is unverified, and exit code 1", async () => {
    const answer = await auditAfter(async (root) => {
      const deb = await buildSmallDeb(root, { name: "other", version: "1.1", files: { "usr/bin/other": "other\n" } });
      await installDebs(root, [deb]);
    });
    expect(answer.packages).toContainEqual(expect.objectContaining({ package: "other", reason: "no verdict on this version" }));
    expect(answer).toMatchObject({ code: 1, outcome: "drift" });
  });

  test.each([
    ["status", "Package: tool\nno status\n"],
    ["diversions", "/usr/bin/tool\n"],
    ["statoverride", "root root\n"],
  ])("a damaged %s file is no clean host: exit code 3", async (name, text) => {
    await expect(auditAfter((root) => writeFile(join(root, "var/lib/dpkg", name), text))).rejects.toMatchObject({ exitCode: 3 });
  });
});

test("with a cache, what was written since is found; a file that is the same is not read again", async () => {
  const root = await copyClean();
  const cache = join(directory, "cache");
  await audit({ root, cache }, snapshot());
  // As if the files had been there for a while: a cache keeps none that was just written.
  await ageCache(cache, root);
  const again = await audit({ root, cache }, snapshot());
  expect(again).toMatchObject({ code: 0, outcome: "clean" });
  expect(again.cache?.reused).toBeGreaterThan(0);
  await writeFile(join(root, "usr/bin/other"), "0ther\n");
  expect(found(await audit({ root, cache }, snapshot()))).toEqual(["modified usr/bin/other"]);
});

describe("what an administrator does is no tampering", () => {
  test.each<[string, (root: string) => Promise<unknown>, string, number]>([
    ["edits a conffile", (root) => appendFile(join(root, "etc/tool.conf"), "setting = 2\n"), "locally-configured", 0],
    ["removes a conffile", (root) => rm(join(root, "etc/tool.conf")), "locally-configured", 0],
    ["adds configuration", (root) => writeFile(join(root, "etc/local.conf"), "mine\n"), "local-configuration", 0],
    ["overrides owner and mode", overrideMode, "overridden", 0],
    ["shares a directory, where each has files of his own", shareDirectory, "overridden", 0],
    ["diverts a program", divertProgram, "verified", 0],
    ["leaves documentation out", excludeDocuments, "excluded", 0],
    ["compiles byte code", (root) => writeByteCode(root, "part"), "generated", 0],
    ["removes documentation", (root) => rm(join(root, "usr/share/doc/tool/README")), "missing", 1],
    ["takes a permission away", (root) => chmod(join(root, "usr/bin/other"), 0o700), "mode-changed", 1],
    ["gives a program to somebody", (root) => chown(join(root, "usr/bin/other"), 100, 100), "owner-changed", 1],
    ["installs a program below /usr/local", (root) => plant(root, "usr/local/bin/mine"), "local-program", 1],
  ])("%s", async (_what, change, expected, code) => {
    const answer = await auditAfter(change);
    expect(answer.counts[expected]).toBeGreaterThan(0);
    expect(answer.code).toBe(code);
  });
});

test("an upgrade leaves nothing behind that is an alert, and what was edited stays the administrator's", async () => {
  const answer = await auditAfter(async (root) => {
    await appendFile(join(root, "etc/tool.conf"), "setting = mine\n");
    await installDebs(root, [upgrade], ["--force-confold"]);
  });
  expect(answer).toMatchObject({ code: 0, outcome: "clean", findings: [] });
  expect(answer.counts).toMatchObject({ "locally-configured": 1 });
});

describe("what could not be looked at is not called clean: exit code 3", () => {
  test("what this user may not read", async () => {
    const root = await copyClean();
    for (const path of [directory, join(root, "..")]) await chmod(path, 0o755);
    await chmod(join(root, "usr/lib/tool"), 0o700);
    const answer = await asNobody(() => audit(root, snapshot()));
    expect(answer).toMatchObject({ code: 3, outcome: "incomplete" });
    expect(found(answer)).toContain("unreadable usr/lib/tool/part.py");
    await chmod(join(root, "var/lib/dpkg/status"), 0o600);
    await expect(asNobody(() => audit(root, snapshot()))).rejects.toMatchObject({ exitCode: 3 });
  });

  test("what becomes something else while the root is read", async () => {
    const root = await copyClean();
    const { artifacts: known } = await openSnapshot({ snapshot: snapshot(), freshness: anyAge });
    await using hasher = new FileHasher();
    let hashed = 0;
    const onFile = () => {
      if ((hashed += 1) > 1) return;
      // One of them has not been read yet.
      for (const name of ["usr/bin/other", "usr/lib/tool/part.py"]) {
        rmSync(join(root, name));
        mkdirSync(join(root, name));
      }
    };
    const tree = new DirectoryTree(root, hasher);
    const result = await auditTree({ tree, known, onFile, signal: AbortSignal.timeout(60_000) });
    expect(result.findings.map((finding) => finding.class)).toContain("changed-while-read");
    expect(decideOutcome(result, true)).toBe("incomplete");
  });
});

/** Does something with the rights of somebody who owns nothing here. */
async function asNobody<Value>(work: () => Promise<Value>): Promise<Value> {
  process.seteuid?.(65_534);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}

describe("what an audit of files cannot see, it does not report; every report says so", () => {
  test.each<[string, (root: string) => Promise<unknown>, RegExp]>([
    ["byte code that is not its source's", (root) => writeByteCode(root, "part", "evil"), /byte code/],
    ["an edited conffile that does harm", (root) => writeFile(join(root, "etc/tool.conf"), "command = evil\n"), /conffiles/],
    ["a job that is configured in no package", (root) => plant(root, "etc/cron.d/evil"), /configuration in \/etc/],
    ["a program outside of the directories of programs", (root) => plant(root, "var/tmp/evil"), /\/var$/],
    ["a program with the capability to be any user", allowAnyUser, /file capabilities/],
    ["a package that was put back to an older version that was rebuilt too", putBackOlderVersion, /older version/],
  ])("%s", async (_what, change, said) => {
    const answer = await auditAfter(change);
    expect(answer).toMatchObject({ code: 0, findings: [], unseen: expect.arrayContaining([expect.stringMatching(said)]) });
  });
});

async function plant(root: string, path: string, content = "planted\n"): Promise<void> {
  await mkdir(join(root, path, ".."), { recursive: true });
  await writeFile(join(root, path), content, { mode: 0o755 });
}

async function replace(root: string, path: string, put: (place: string) => Promise<unknown>): Promise<void> {
  await rm(join(root, path));
  await put(join(root, path));
}

async function plantAlternative(root: string): Promise<void> {
  await plant(root, "opt/evil");
  await mkdir(join(root, "etc/alternatives"));
  await symlink("/opt/evil", join(root, "etc/alternatives/chosen"));
  await symlink("/etc/alternatives/chosen", join(root, "usr/bin/chosen"));
}

/** What is in a package's directory, elsewhere and changed. */
async function plantDirectory(root: string): Promise<void> {
  await mkdir(join(root, "var/evil"));
  await rename(join(root, "usr/lib/tool"), join(root, "var/evil/was"));
  await cp(join(root, "var/evil/was"), join(root, "var/evil"), { recursive: true });
  await writeFile(join(root, "var/evil/part.py"), "print('evil')\n");
  await symlink("/var/evil", join(root, "usr/lib/tool"));
}

const plantByteCode = (root: string) => writeByteCode(root, "evil");

const writeByteCode = (root: string, source: string, content = "compiled") =>
  plant(root, `usr/lib/tool/__pycache__/${source}.cpython-311.pyc`, content);

async function plantDiversion(root: string): Promise<void> {
  await divertProgram(root);
  await plant(root, "usr/bin/other");
}

async function divertProgram(root: string): Promise<void> {
  await rename(join(root, "usr/bin/other"), join(root, "usr/bin/other.distrib"));
  await writeFile(join(root, "var/lib/dpkg/diversions"), "/usr/bin/other\n/usr/bin/other.distrib\n:\n");
}

async function plantInList(root: string): Promise<void> {
  await plant(root, "usr/bin/evil");
  await appendFile(join(root, "var/lib/dpkg/info/other.list"), "/usr/bin/evil\n");
}

async function plantOverride(root: string): Promise<void> {
  await chmod(join(root, "usr/bin/other"), 0o4755);
  await writeFile(join(root, "var/lib/dpkg/statoverride"), "root root 4755 /usr/bin/other\n");
}

async function plantWritableOverride(root: string): Promise<void> {
  await chmod(join(root, "usr/bin/other"), 0o757);
  await writeFile(join(root, "var/lib/dpkg/statoverride"), "root root 0757 /usr/bin/other\n");
}

/** So that `dpkg --verify` has nothing to say. */
async function plantChecksum(root: string): Promise<void> {
  await appendFile(join(root, "usr/bin/other"), "evil\n");
  const lines = await Promise.all(
    ["usr/bin/other", "usr/share/doc/other/README"].map(async (path) => {
      const md5 = createHash("md5")
        .update(await readFile(join(root, path)))
        .digest("hex");
      return `${md5}  ${path}\n`;
    }),
  );
  await writeFile(join(root, "var/lib/dpkg/info/other.md5sums"), lines.join(""));
  const { stdout } = await run("dpkg", [`--root=${root}`, "--verify", "other"]);
  expect(stdout).toBe("");
}

async function claimNewerVersion(root: string): Promise<void> {
  const status = join(root, "var/lib/dpkg/status");
  const text = await readFile(status, "utf8");
  await writeFile(status, text.replace(/(Package: tool\n(?:.+\n)*?Version: )1\.0/, "$12.0"));
}

/** CAP_SETUID, permitted and in effect, as setcap(8) writes it (capabilities(7), VFS_CAP_REVISION_2). */
async function allowAnyUser(root: string): Promise<void> {
  const setxattr = process.arch === "arm64" ? 5 : 188;
  const script = `$v = pack("V5", 0x02000001, 1 << 7, 0, 0, 0); $n = "security.capability"; syscall(${setxattr}, $ARGV[0], $n, $v, 20, 0) == 0 or die $!`;
  await run("perl", ["-e", script, join(root, "usr/bin/other")]);
}

async function putBackOlderVersion(root: string): Promise<void> {
  await installDebs(root, [upgrade]);
  await installDebs(root, [tool]);
}

async function overrideMode(root: string): Promise<void> {
  await chown(join(root, "usr/bin/other"), 0, 100);
  await chmod(join(root, "usr/bin/other"), 0o750);
  await writeFile(join(root, "var/lib/dpkg/statoverride"), "root small 0750 /usr/bin/other\n");
}

async function shareDirectory(root: string): Promise<void> {
  await chmod(join(root, "usr/share/doc/tool"), 0o1777);
  await writeFile(join(root, "var/lib/dpkg/statoverride"), "root root 1777 /usr/share/doc/tool\n");
}

async function excludeDocuments(root: string): Promise<void> {
  await mkdir(join(root, "etc/dpkg/dpkg.cfg.d"), { recursive: true });
  await writeFile(join(root, "etc/dpkg/dpkg.cfg.d/docs"), "path-exclude=/usr/share/doc/*\n");
  await rm(join(root, "usr/share/doc/tool/README"));
}

/** Writes the cache that an audit would have left when the files were old. */
async function ageCache(cache: string, root: string): Promise<void> {
  const rows: Buffer[] = [Buffer.from("quorate hash cache v2\n\n\n")];
  for (const name of await readdir(root, { recursive: true })) {
    const { dev, ino, size, mtimeNs, ctimeNs } = await lstat(join(root, name), { bigint: true });
    const bytes = await readFile(join(root, name)).catch(() => undefined);
    if (bytes === undefined) continue;
    const seconds = Math.floor(Date.now() / 1000);
    const identity = Buffer.from(BigInt64Array.of(dev, ino, size, mtimeNs, ctimeNs).buffer);
    rows.push(identity, createHash("sha256").update(bytes).digest(), Buffer.from(Float64Array.of(seconds).buffer));
  }
  await writeFile(cache, Buffer.concat(rows));
}
