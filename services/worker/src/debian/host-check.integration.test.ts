import { execFile, spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";

const program = join(dirname(import.meta.dirname), "check-host-main.ts");

const noUserNamespaces = spawnSync("unshare", ["--map-root-user", "true"]).status !== 0;

async function check(command: string, ...words: string[]): Promise<{ code: unknown; stderr: string }> {
  return await new Promise((resolve) => {
    execFile(command, [...words, process.execPath, program], (error, _stdout, stderr) =>
      resolve({ code: error === null ? 0 : error.code, stderr }),
    );
  });
}

it("takes a host that can make sandboxes", async () => {
  expect(await check("env")).toEqual({ code: 0, stderr: "" });
});

it("refuses a user who is not root, with what to do", async () => {
  // Reads any file, wherever this checkout is.
  const reads = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"];
  const { code, stderr } = await check("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", ...reads, "--");
  expect(code).toBe(1);
  expect(stderr).toMatch(/^building Debian packages: root is needed, .*run the worker as root\n$/);
});

it("refuses root without the right to make namespaces, as in a container", async () => {
  const { code, stderr } = await check("setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin", "--");
  expect(code).toBe(1);
  expect(stderr).toMatch(/root may not make namespaces.*\(unshare: .*Operation not permitted\); run the worker/);
});

it.skipIf(noUserNamespaces)("refuses root of a user namespace that has no other users", async () => {
  expect(await check("unshare", "--map-root-user", "--")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("files of other users"),
  });
});

it.skipIf(noUserNamespaces)("refuses a host whose namespaces are used up", async () => {
  const none = 'unshare --mount true; echo 0 >/proc/sys/user/max_mnt_namespaces; exec "$@"';
  const { code, stderr } = await check("unshare", "--map-root-user", "--", "sh", "-c", none, "sh");
  expect(code).toBe(1);
  expect(stderr).toContain("unshare: unshare failed: No space left on device");
});

it("names the Debian packages of programs that are missing", async () => {
  const hidden = 'mount --bind /dev/null /usr/bin/mmdebstrap; exec "$@"';
  const { code, stderr } = await check("unshare", "--mount", "--", "sh", "-c", hidden, "sh");
  expect(code).toBe(1);
  expect(stderr).toBe("building Debian packages: install these packages first: mmdebstrap\n");
});
