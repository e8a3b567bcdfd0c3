import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

/** Fetches a file of 64 KiB into a file system with room for 16, in a mount namespace of its own; prints what came of it. */
async function fetchToFullDisk(directory: string): Promise<string> {
  const bytes = Buffer.alloc(65_536);
  await writeFile(join(directory, "file"), bytes);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const program = `
    import { readdir } from "node:fs/promises";
    import { fetchToFile } from ${JSON.stringify(join(import.meta.dirname, "fetch.ts"))};
    const expected = { sha256: "${sha256}", sizeBytes: ${bytes.length} };
    await fetchToFile("file://${directory}/file", { path: "/mnt/file", expected }).catch((error) => console.log(error.name, error.code));
    console.log("left", (await readdir("/mnt")).length);`;
  const script = 'mount -t tmpfs -o size=16k tmpfs /mnt && exec "$@"';
  const words = ["--mount", "sh", "-c", script, "sh", process.execPath, "--input-type=module", "--eval", program];
  return await new Promise((resolve, reject) => {
    execFile("unshare", words, (error, stdout) => (error === null ? resolve(stdout) : reject(error)));
  });
}

test("a full disk is not said to be the archive's fault, and keeps nothing half-written", async () => {
  const directory = await mkdtemp(join(tmpdir(), "fetch-full-"));
  try {
    expect(await fetchToFullDisk(directory)).toBe("Error ENOSPC\nleft 0\n");
  } finally {
    await rm(directory, { recursive: true });
  }
});
