import { execFile } from "node:child_process";
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { gatedFilesPath } from "@quorate/host/gated-files";
import { formatGateSettings, type GateSettings } from "@quorate/host/gate-settings";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { runGateInstall, runGateRemove, runGateTest } from "../../services/cli/src/commands/gate.ts";
import { runGateCheck } from "../../services/cli/src/commands/gate-check.ts";
import { recordingContext } from "../../services/cli/src/recording-terminal.fixture.ts";
import { ReproducedPackages, anyAge, audit, createRoot } from "../audited-host.ts";
import { buildSmallDeb } from "../small-deb.ts";

let directory = "";
let network: ReproducedPackages;
let root = "";
let debs: Record<"known" | "unknown" | "changed", string>;
const snapshot = () => join(directory, "snapshot");
const etc = () => join(root, "etc");

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "quorate-gate-"));
  network = await ReproducedPackages.start(directory);
  const known = await buildSmallDeb(directory, { name: "known", files: { "usr/bin/known": "known\n" } });
  await network.reproduce(known);
  await network.publish();
  await network.sync(snapshot());
  await mkdir(join(directory, "changed"));
  debs = {
    known,
    unknown: await buildSmallDeb(directory, { name: "unknown", files: { "usr/bin/unknown": "unknown\n" } }),
    changed: await buildSmallDeb(join(directory, "changed"), { name: "known", files: { "usr/bin/known": "evil\n" } }),
  };
});
afterAll(async () => {
  await network?.[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});
beforeEach(async () => {
  root = await mkdtemp(join(directory, "root-"));
  await createRoot(root);
  for (const path of ["etc/apt/apt.conf.d", "var/lib/apt/lists/partial", "var/cache/apt/archives/partial", "var/log/apt"])
    await mkdir(join(root, path), { recursive: true });
});

/** Installs the gate, and then its settings allow what was known at any time. */
async function install(mode: GateSettings["mode"], changes: Partial<GateSettings> = {}): Promise<void> {
  await runGateInstall({ etc: etc(), mode, snapshot: snapshot() }, recordingContext());
  const gatedFiles = join(root, gatedFilesPath);
  const settings: GateSettings = { mode, snapshot: snapshot(), gatedFiles, freshnessSeconds: anyAge, exceptions: [], ...changes };
  await writeFile(join(etc(), "quorate/gate.json"), formatGateSettings(settings));
}

const exception = (name: string, expiresAt: string) => ({ exceptions: [{ package: name, version: "1.0", reason: "a reason", expiresAt }] });

/** Debian's own apt, on the small root. */
async function apt(deb: string, program: "apt" | "apt-get" = "apt-get"): Promise<{ code: number; output: string }> {
  const options = ["--root=" + root, "--force-script-chrootless", "--no-triggers", "--log=/dev/null"];
  const lines = [
    `Dir "${root}";`,
    `Dir::Etc::parts "${join(etc(), "apt/apt.conf.d")}";`,
    `Dir::State::status "${join(root, "var/lib/dpkg/status")}";`,
    'APT::Sandbox::User "root";',
    ...options.map((option) => `DPkg::Options { "${option}"; };`),
  ];
  await writeFile(join(root, "apt.conf"), lines.join("\n"));
  const env = { PATH: process.env["PATH"], LC_ALL: "C", HOME: directory, APT_CONFIG: join(root, "apt.conf") };
  return await new Promise((resolve) => {
    execFile(program, ["-y", "install", deb], { env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr }),
    );
  });
}

const isInstalled = async (name: string) => (await readFile(join(root, "var/lib/dpkg/status"), "utf8")).includes(`Package: ${name}\n`);

describe("apt asks the gate", () => {
  test("that warns: apt goes on, and says what is not verified", async () => {
    await install("warn");
    const { code, output } = await apt(debs.unknown);
    expect(output).toContain("quorate: unverified  unknown 1.0 (all): no verdict on this version");
    expect(output).toContain("0 of 1 packages are what independent operators rebuilt");
    expect({ code, installed: await isInstalled("unknown") }).toEqual({ code: 0, installed: true });
  });

  test("that observes: it says how many are", async () => {
    await install("observe");
    const { code, output } = await apt(debs.known);
    expect(output).toContain("1 of 1 packages are what independent operators rebuilt");
    expect({ code, output }).toMatchObject({ code: 0 });
  });

  test.each(["unknown", "changed"] as const)("that enforces: a package that is %s is not unpacked", async (which) => {
    await install("enforce");
    const { code, output } = await apt(debs[which]);
    expect(output).toContain("quorate: apt is stopped before anything is unpacked");
    expect(code).not.toBe(0);
    expect(await isInstalled(which === "unknown" ? "unknown" : "known")).toBe(false);
  });

  test("that was removed: apt goes on as before, and the settings stay", async () => {
    await install("enforce");
    await runGateRemove({ etc: etc() }, recordingContext());
    expect(await apt(debs.unknown)).toMatchObject({ code: 0, output: expect.not.stringContaining("quorate:") as unknown });
    expect(JSON.parse(await readFile(join(etc(), "quorate/gate.json"), "utf8"))).toMatchObject({ mode: "enforce" });
  });

  test("that enforces: what was rebuilt is installed, unless what is known is out of date", async () => {
    await install("enforce", { freshnessSeconds: 3600 });
    expect((await apt(debs.known)).output).toContain("run quorate sync");
    expect(await isInstalled("known")).toBe(false);
    await install("enforce");
    expect(await apt(debs.known)).toMatchObject({ code: 0 });
    expect(await isInstalled("known")).toBe(true);
  });

  test("whose settings are damaged: apt is stopped", async () => {
    await install("enforce");
    await appendFile(join(etc(), "quorate/gate.json"), "x");
    expect((await apt(debs.known)).code).not.toBe(0);
    expect(await isInstalled("known")).toBe(false);
  });
});

describe("before it asks whether to go on", () => {
  test("apt says what the gate will find, and whether it will be stopped", async () => {
    await install("enforce");
    const { code, output } = await apt(debs.unknown, "apt");
    const foreseen = output.indexOf("quorate: apt will be stopped before anything is unpacked");
    expect(foreseen).toBeGreaterThan(output.indexOf("0 upgraded, 1 newly installed"));
    expect(foreseen).toBeLessThan(output.indexOf("quorate: apt is stopped before anything is unpacked"));
    expect(output).toContain("quorate: independent operators rebuilt 0 of these 1 packages");
    expect(code).not.toBe(0);
    expect(await apt(debs.known, "apt")).toMatchObject({
      code: 0,
      output: expect.stringContaining("quorate: independent operators rebuilt 1 of these 1 packages") as unknown,
    });
  });

  test("apt goes on when the gate cannot say", async () => {
    await install("warn", { snapshot: "/nonexistent" });
    const { code, output } = await apt(debs.known, "apt");
    expect(output).toContain("quorate: asking the gate: opening the snapshot /nonexistent");
    expect(code).toBe(0);
  });
});

describe("what the gate let through is known to an audit", () => {
  const packageOf = async () => (await audit(root, snapshot())).packages.find((one) => one.package === "known");

  test("by its bytes: a version that was rebuilt, and these are others", async () => {
    await install("warn");
    await apt(debs.changed);
    expect((await packageOf())?.reason).toMatch(/^the gate let other bytes through than are known: [0-9a-f]{64}$/);
    await apt(debs.known);
    expect(await readFile(join(root, gatedFilesPath), "utf8")).toMatch(/^known 1\.0 all [0-9a-f]{64}\n$/);
  });

  test("what was stopped is not in it", async () => {
    await install("enforce");
    await apt(debs.changed);
    await expect(readFile(join(root, gatedFilesPath))).rejects.toMatchObject({ code: "ENOENT" });
    await apt(debs.known);
    expect((await packageOf())?.reason).toBeUndefined();
  });

  test("one that is damaged is no clean host: exit code 3", async () => {
    await install("enforce");
    await apt(debs.known);
    await appendFile(join(root, gatedFilesPath), "known 1.0");
    await expect(audit(root, snapshot())).rejects.toMatchObject({ exitCode: 3 });
  });

  test("one that is damaged is named by a gate that enforces, which lets nothing through then", async () => {
    await install("enforce");
    const gatedFiles = join(root, gatedFilesPath);
    await mkdir(dirname(gatedFiles), { recursive: true });
    await writeFile(gatedFiles, "known 1.0");
    const { code, output } = await apt(debs.known);
    expect(output).toContain(`quorate: asking the gate: reading ${gatedFiles}: parsing list of what a gate let through`);
    expect(code).not.toBe(0);
  });
});

describe("an exception", () => {
  test("names a version, a reason and a day, and is for what nobody has rebuilt", async () => {
    await install("enforce", exception("unknown", "2000-01-01T00:00:00Z"));
    expect((await apt(debs.unknown)).output).toContain("its exception expired at 2000-01-01T00:00:00Z");
    await install("enforce", exception("known", "9999-01-01T00:00:00Z"));
    expect((await apt(debs.changed)).output).toContain("quorate: other-bytes  known 1.0 (all)");
    expect(await isInstalled("known")).toBe(false);
    await install("enforce", exception("unknown", "9999-01-01T00:00:00Z"));
    expect((await apt(debs.unknown)).output).toContain("quorate: excepted  unknown 1.0 (all): a reason, until 9999-01-01T00:00:00Z");
    expect(await isInstalled("unknown")).toBe(true);
  });
});

describe("quorate gate check", () => {
  test.each([
    ["known", 0, "verified"],
    ["unknown", 1, "unverified"],
    ["changed", 2, "other-bytes"],
  ] as const)("a file that is %s: exit code %d", async (which, code, kind) => {
    const context = recordingContext();
    expect(await runGateCheck([debs[which]], { snapshot: snapshot(), freshness: anyAge, json: true }, context)).toBe(code);
    expect(context.json).toMatchObject([{ results: [{ kind }] }]);
  });

  test("a lock file names packages by digest", async () => {
    const lockFile = join(directory, "SHA256SUMS");
    const check = async (...names: (keyof typeof debs)[]) => {
      const { stdout } = await promisify(execFile)(
        "sha256sum",
        names.map((name) => debs[name]),
      );
      await writeFile(lockFile, stdout);
      return await runGateCheck([], { lockfile: lockFile, snapshot: snapshot(), freshness: anyAge }, recordingContext());
    };
    expect(await check("known")).toBe(0);
    expect(await check("known", "unknown")).toBe(1);
    expect(await check("known", "changed")).toBe(2);
    await writeFile(lockFile, "known 1.0\n");
    const options = { lockfile: lockFile, snapshot: snapshot(), freshness: anyAge };
    await expect(runGateCheck([], options, recordingContext())).rejects.toMatchObject({ exitCode: 3 });
  });

  test("a file that is not there, or a snapshot that is out of date: exit code 3", async () => {
    await expect(runGateCheck(["/nonexistent.deb"], { snapshot: snapshot() }, recordingContext())).rejects.toMatchObject({ exitCode: 3 });
    expect(await runGateCheck([debs.known], { snapshot: snapshot() }, recordingContext())).toBe(3);
  });
});

test("quorate gate test says whether apt would ask", async () => {
  await expect(runGateTest({ etc: etc() }, recordingContext())).rejects.toThrow("run quorate gate install");
  await install("warn");
  const context = recordingContext();
  expect(await runGateTest({ etc: etc() }, context)).toBe(0);
  expect(context.printed.join()).toContain("mode warn, 0 exceptions");
});
