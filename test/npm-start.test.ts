import { execFile } from "node:child_process";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

test("what `npm start` prints on standard output is the command's alone", async () => {
  const { stdout } = await promisify(execFile)("npm", ["start", "--", "--help"], { cwd: dirname(import.meta.dirname) });
  expect(stdout).toMatch(/^Usage: quorate start /);
});
