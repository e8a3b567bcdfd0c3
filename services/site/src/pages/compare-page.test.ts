import { sampleBuilt } from "@quorate/attestation/nouns.fixture";
import { expect, it } from "vitest";
import type { Comparison } from "../compare-results.ts";
import { comparePage } from "./compare-page.ts";

const same: Comparison = { kind: "compared", count: 1, differences: [] };

it("stays small and shows as text whatever the compared files hold", () => {
  const hostile = `<script>alert(1)</script>\u202e${"x".repeat(10_000_000)}`;
  const differences = Array.from({ length: 5000 }, (_, at) => ({ name: at === 0 ? hostile : `${at}`, one: hostile, other: undefined }));
  const { main } = comparePage({
    one: { index: 1, result: sampleBuilt },
    other: { index: 2, result: sampleBuilt },
    names: new Map([[sampleBuilt.operator, "<b>ada"]]),
    comparison: {
      circumstances: same,
      artifacts: same,
      environment: { kind: "unavailable", reason: "<i>gone" },
      trace: { kind: "compared", count: 5000, differences },
      manifests: new Map([["<u>.deb", same]]),
    },
  });
  const markup = main.toString();
  expect(markup.length).toBeLessThan(400_000);
  expect(markup).not.toMatch(/<script|<i>|<u>|<b>|\u202e/);
  expect(markup).toMatch(/5000 of 5000 intermediate files\s+differ; the first 200/);
  expect(markup).toContain("10000026 characters");
});
