import { expect, test } from "vitest";
import { countProtectedFiles, parseProtected } from "./protected-files.ts";

test("files with a V are counted, and a name that holds a line break adds none", () => {
  const listed =
    "--------------e------- /usr/bin/plain\n--------------e----V-- /usr/bin/tool\n--------------e------- /tmp/x\n---V--- /tmp/y\n";
  expect(parseProtected(listed, new Set(["/usr/bin/plain", "/usr/bin/tool", "/tmp/x\n---V--- /tmp/y"]))).toEqual(["/usr/bin/tool"]);
});

test("lsattr is asked about real files; one that is gone, or has no attributes, counts as not protected", async () => {
  expect(await countProtectedFiles([process.execPath, "/nonexistent", "/proc/self/maps"])).toBe(0);
  expect(await countProtectedFiles(Array.from({ length: 450 }, (_, at) => `/nonexistent/${at}`))).toBe(0);
});
