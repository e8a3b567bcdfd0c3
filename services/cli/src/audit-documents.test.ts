import { parseDeployment } from "@quorate/attestation/deployment";
import { digestOf } from "@quorate/attestation/nouns.fixture";
import type { Finding } from "@quorate/host/file-class";
import { utf8 } from "@quorate/protocol/utf8";
import { hashFrom } from "@quorate/tlog/hash";
import { expect, test } from "vitest";
import { deploymentStatement } from "./audit-documents.ts";

test("a statement can be read whatever a link on the host leads to", () => {
  // As a link target is read that begins with the byte 0xff.
  const target = `\udcff${"/x".repeat(2000)}`;
  const finding: Finding = { class: "replaced", path: "usr/bin/tool", package: "tool", reason: `leads to ${target} instead of perl` };
  const snapshot = {
    checkpoint: { origin: "log.example", size: 70, root: hashFrom(Buffer.alloc(32)) },
    freshness: { kind: "fresh" },
    policySha256: digestOf("policy"),
  } as const;
  const report = { subject: "/", audit: { packages: [], findings: [finding] }, outcome: "tampering", snapshot } as const;
  const { deployment } = parseDeployment(utf8(deploymentStatement(report, "2026-11-25T15:00:00Z")));
  expect(deployment.findings).toEqual([
    { class: "replaced", path: "usr/bin/tool", reason: expect.stringMatching(/^leads to %FF\/x/) as unknown },
  ]);
});
