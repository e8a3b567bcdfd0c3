import { createHash } from "node:crypto";
import { appendFile, cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runExplain } from "../../services/cli/src/commands/explain.ts";
import { recordingContext } from "../../services/cli/src/recording-terminal.fixture.ts";
import { ReproducedPackages, anyAge, createRoot, installDebs } from "../audited-host.ts";
import { buildSmallDeb } from "../small-deb.ts";

let directory = "";
let network: ReproducedPackages;
const root = () => join(directory, "root");
const snapshot = () => join(directory, "snapshot");
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "quorate-explain-"));
  network = await ReproducedPackages.start(directory);
  const tool = await buildSmallDeb(directory, { name: "tool", files: { "bin/tool": "tool\n", "usr/share/tool/data": "data\n" } });
  const unknown = await buildSmallDeb(directory, { name: "unknown", files: { "usr/bin/unknown": "unknown\n" } });
  await network.reproduce(tool);
  await network.publish();
  await network.sync(snapshot());
  await createRoot(root());
  await installDebs(root(), [tool, unknown]);
});
afterAll(async () => {
  await network?.[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

async function explain(what: string, below = root()): Promise<{ code: number; text: string }> {
  const context = recordingContext();
  const code = await runExplain(what, { root: below, snapshot: snapshot(), freshness: anyAge }, context);
  return { code, text: context.printed.join("\n") };
}

test.each([
  ["a path", "/usr/bin/tool", "/usr/bin/tool: verified"],
  ["a path behind the link of a merged /usr", "/bin/tool", "/usr/bin/tool: verified"],
  ["a package", "tool", "tool"],
  ["a package and a version", "tool=1.0", "tool=1.0"],
  ["a file's digest", sha256("data\n"), ": /usr/share/tool/data"],
])("%s is explained from the file to the witnesses", async (_what, asked, first) => {
  const { code, text } = await explain(asked);
  expect(code).toBe(0);
  expect(text.split("\n")[0]).toContain(first);
  expect(text).toMatch(/^ {2}package {5}tool 1\.0 \(all\): tool_1\.0_all\.deb, SHA-256 [0-9a-f]{64}$/m);
  for (const name of ["ada", "bert"]) expect(text).toMatch(new RegExp(`^ +${name} +log entry \\d+, envelope [0-9a-f]{64}$`, "m"));
  expect(text).toMatch(/^ {2}verdict {5}reproduced, log entry \d+, envelope [0-9a-f]{64}$/m);
  expect(text).toMatch(/^ {2}source {6}debian\/bookworm tool 1\.0$/m);
  expect(text).toMatch(/^ {2}witnesses {3}w\d\.example at 1970/m);
});

test.each([
  ["a path of a package that nobody has rebuilt", "/usr/bin/unknown"],
  ["a path of no package", "/etc/passwd"],
  ["a digest that nobody knows", sha256("nothing")],
  ["a version that nobody knows", "tool=9"],
])("%s is explained by nothing: exit code 1", async (_what, asked) => {
  const { code, text } = await explain(asked);
  expect(text).toContain("no verdict that is known here is about it");
  expect(code).toBe(1);
});

test("a file that was changed: exit code 2, and the package that it was in", async () => {
  const tampered = join(directory, "tampered");
  await cp(root(), tampered, { recursive: true, verbatimSymlinks: true });
  await appendFile(join(tampered, "usr/bin/tool"), "evil\n");
  const { code, text } = await explain("/bin/tool", tampered);
  expect(text).toContain("/usr/bin/tool: modified");
  expect(code).toBe(2);
});

test("a mirror of the log that was changed on disk explains nothing", async () => {
  const changed = join(directory, "changed-snapshot");
  await cp(snapshot(), changed, { recursive: true });
  await writeFile(join(changed, `log/tile/entries/000.p/${network.network.entries.length}`), "no entries");
  const options = { root: root(), snapshot: changed, freshness: anyAge };
  await expect(runExplain("tool", options, recordingContext())).rejects.toMatchObject({ exitCode: 3 });
});
