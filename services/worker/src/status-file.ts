import type { OperatorId } from "@quorate/protocol/operator";
import type { WorkerStatus } from "@quorate/protocol/worker";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** `status.json` in the worker's data directory: what `quorate worker status` shows. It is for people, and may be lost. */
export type StatusFile = {
  show(changes: Partial<Pick<WorkerStatus, "state" | "job" | "activity" | "unrevealed">>): void;
  committed(): void;
};

export function openStatusFile(dataDirectory: string, { operator, worker }: { operator: OperatorId; worker: string }): StatusFile {
  const path = join(dataDirectory, "status.json");
  let status: WorkerStatus = {
    pid: process.pid,
    operator,
    worker,
    state: "starting",
    since: new Date().toISOString(),
    jobsCommitted: 0,
    unrevealed: 0,
  };
  const write = (): void => {
    writeFileSync(`${path}.tmp`, `${JSON.stringify(status)}\n`, { mode: 0o644 });
    renameSync(`${path}.tmp`, path);
  };
  write();
  return {
    show(changes) {
      const since = changes.state === undefined || changes.state === status.state ? status.since : new Date().toISOString();
      status = { ...status, since, ...changes };
      write();
    },
    committed() {
      status = { ...status, jobsCommitted: status.jobsCommitted + 1 };
      write();
    },
  };
}
