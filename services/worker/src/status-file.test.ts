import { operatorIdSchema } from "@quorate/protocol/operator";
import { workerStatusSchema } from "@quorate/protocol/worker";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openStatusFile } from "./status-file.ts";

test("a worker that starts says so, whatever the one before it did last", () => {
  const directory = mkdtempSync(join(tmpdir(), "quorate-status-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const who = { operator: operatorIdSchema.parse("fdee430d40bd57deeac186cd9790033d"), worker: `U${"A".repeat(55)}` };
  const saved = () => workerStatusSchema.parse(JSON.parse(readFileSync(join(directory, "status.json"), "utf8")));
  const before = openStatusFile(directory, who);
  before.show({ state: "working", job: "one", unrevealed: 2 });
  before.committed();
  expect(saved()).toMatchObject({ state: "working", job: "one", jobsCommitted: 1, unrevealed: 2 });
  const after = openStatusFile(directory, who);
  expect(saved()).toMatchObject({ state: "starting", jobsCommitted: 0 });
  expect(saved().job).toBeUndefined();
  after.show({ state: "connecting" });
  expect(saved().state).toBe("connecting");
});
