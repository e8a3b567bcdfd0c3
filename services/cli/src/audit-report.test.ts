import { digestOf } from "@quorate/attestation/nouns.fixture";
import type { Audit } from "@quorate/host/audit";
import { hashFrom } from "@quorate/tlog/hash";
import { expect, test } from "vitest";
import { auditLines } from "./audit-report.ts";

test("a file's name and where a link leads cannot write to the terminal, or another line", () => {
  const findings: Audit["findings"] = [
    { class: "unowned", path: "usr/bin/evil\u001b[2K\n/: every file is verified" },
    { class: "replaced", path: "usr/bin/tool", package: "tool", reason: "leads to \u001b[8m instead of perl" },
  ];
  const snapshot = {
    checkpoint: { origin: "log.example", size: 70, root: hashFrom(Buffer.alloc(32)) },
    freshness: { kind: "fresh" },
    policySha256: digestOf("policy"),
  } as const;
  expect(auditLines({ subject: "/", audit: { packages: [], findings }, outcome: "tampering", snapshot }).slice(0, 2)).toEqual([
    "unowned  /usr/bin/evil%1B[2K%0A/:%20every%20file%20is%20verified",
    "replaced  /usr/bin/tool (tool: leads to %1B[8m instead of perl)",
  ]);
});
