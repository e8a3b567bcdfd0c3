import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatEnvelope } from "@quorate/attestation/dsse";
import { digestOf } from "@quorate/attestation/nouns.fixture";
import { formatRuntime, parseRuntime } from "@quorate/attestation/runtime-statement";
import { sha256Of } from "@quorate/protocol/digest";
import { hostIdOf } from "@quorate/protocol/host";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FleetStore } from "./fleet-store.ts";

let directory = "";
beforeEach(async () => void (directory = await mkdtemp(join(tmpdir(), "quorate-fleet-store-"))));
afterEach(() => rm(directory, { recursive: true, force: true }));

const id = hostIdOf(new Uint8Array([1]));

/** Accepts the next report of the host, which found one program at a path. */
function acceptNext(store: FleetStore, path: string, receivedAt: number): boolean {
  const payload = formatRuntime("web1", digestOf("state"), {
    outcome: "tampering",
    sweptAt: "2026-11-25T15:00:00Z",
    ...store.challenge(id, "0".repeat(32)),
    processes: 1,
    counts: { unowned: 1 },
    findings: [{ class: "unowned", path, processes: 1 }],
    unseen: [],
    checkpoint: { origin: "log.example", size: 70, rootSha256: digestOf("root") },
    policy: digestOf("policy"),
    evidence: "software-only",
  });
  const bytes = formatEnvelope({ payload, signatures: [new Uint8Array(64)] });
  const { statement } = parseRuntime(bytes);
  return store.accept(id, { statement, digest: sha256Of(bytes), bytes, receivedAt, nextNonce: "1".repeat(32) });
}

test("a host that says something else in every report fills no disk: what it said last is kept", () => {
  using store = new FleetStore(join(directory, "fleet.sqlite"), 180);
  for (let at = 0; at < 205; at += 1) expect(acceptNext(store, `/tmp/evil-${at}`, at * 1000)).toBe(true);
  const paths = store.periods(id).map(({ report }) => report.findings[0]?.path);
  expect(paths).toHaveLength(200);
  expect(paths[0]).toBe("/tmp/evil-204");
  expect(paths.at(-1)).toBe("/tmp/evil-5");
});

test("a period ends when another thing is said, also when the first is said again after it", () => {
  using store = new FleetStore(join(directory, "fleet.sqlite"), 180);
  for (const [at, path] of ["/tmp/a", "/tmp/a", "/tmp/b", "/tmp/a"].entries()) acceptNext(store, path, at * 1000);
  expect(store.periods(id).map(({ since, until, reports }) => [since, until, reports])).toEqual([
    [3000, 3000, 1],
    [2000, 2000, 1],
    [0, 1000, 2],
  ]);
});
