import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { syncFileSystem } from "./sync-file-system.ts";

test("flushing a file system that is not there fails, and says which", async () => {
  await syncFileSystem(tmpdir());
  const missing = join(tmpdir(), "quorate-missing");
  await expect(syncFileSystem(missing)).rejects.toThrow(`flushing the file system of ${missing}`);
});
