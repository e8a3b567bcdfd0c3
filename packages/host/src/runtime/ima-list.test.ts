import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ParseError } from "@quorate/protocol/parse-error";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Measured, formatMeasurement, templateDataOf } from "./ima-list.fixture.ts";
import { loadImaList, parseImaList, weighMeasurements } from "./ima-list.ts";

const [tool, other] = ["11".repeat(32), "22".repeat(32)];
const listOf = (...measured: Measured[]) => Buffer.concat(measured.map(formatMeasurement));
const known = { find: (sha256: string) => (sha256 === tool ? ({} as never) : undefined) };
const sha256 = (...parts: Uint8Array[]) => createHash("sha256").update(Buffer.concat(parts)).digest();

test("an entry that a kernel has published is written as that kernel did: its SHA-1 is the same", () => {
  // linux-security-module, "ima: digest lists": 11 50b5a68b… ima-ng sha256:15e1efee… /root/cat
  const digest = "15e1efee080fe54f5d7404af7e913de01671e745ce55215d89f3d6521d3884f0";
  const entry = { register: 11, digest, path: "/root/cat" };
  expect(createHash("sha1").update(templateDataOf(entry)).digest("hex")).toBe("50b5a68bea0776a84eef6725f17ce474756e51c0");
  expect(parseImaList(listOf(entry))).toEqual([{ register: 11, isViolation: false, data: templateDataOf(entry), sha256: digest }]);
});

test("files that were rebuilt are told from others, and from violations and what is no file", () => {
  const list = listOf(
    { digest: other, path: "boot_aggregate" },
    { digest: tool, path: "/usr/bin/tool" },
    { template: "ima-sig", digest: tool, path: "/usr/bin/tool\n10 forged" },
    { digest: other, path: "/opt/other" },
    { digest: "00".repeat(20), algorithm: "sha1", path: "/opt/written", isViolation: true },
    { digest: "33".repeat(20), algorithm: "sha1", path: "/opt/old" },
  );
  expect(weighMeasurements(parseImaList(list), known)).toMatchObject({ entries: 6, verified: 2, unverified: 1, violations: 1 });
});

test("register 10 is what the kernel has extended it to: with digests, and with ones for a violation; other registers do not count", () => {
  const [first, second] = [
    { digest: tool, path: "/a" },
    { digest: other, path: "/b" },
  ];
  const violation = { digest: "00".repeat(32), path: "/c", isViolation: true };
  const { pcr10 } = weighMeasurements(parseImaList(listOf(first, { ...second, register: 11 }, violation)), known);
  const after = sha256(Buffer.alloc(32), sha256(templateDataOf(first)));
  expect(pcr10).toBe(sha256(after, Buffer.alloc(32, 0xff)).toString("hex"));
  expect(weighMeasurements([], known).pcr10).toBe("00".repeat(32));
});

test("a list that is cut off, or whose fields do not fit, is refused", () => {
  const list = listOf({ digest: tool, path: "/usr/bin/tool" });
  for (let length = 1; length < list.length; length += 1) expect(() => parseImaList(list.subarray(0, length))).toThrow(ParseError);
  const legacy = Buffer.concat([Buffer.alloc(24), Buffer.from([3, 0, 0, 0]), Buffer.from("ima")]);
  expect(() => parseImaList(legacy)).toThrow(/template with lengths/);
  for (const changes of [{ path: "/two\0names" }, { algorithm: "SHA256" }, { digest: "11".repeat(31) }])
    expect(() => parseImaList(listOf({ digest: tool, path: "/usr/bin/tool", ...changes }))).toThrow(ParseError);
});

test("any change of a list is refused, or changes register 10", () => {
  const list = listOf({ digest: tool, path: "/usr/bin/tool" }, { template: "ima-sig", digest: other, path: "/opt/other" });
  const { pcr10 } = weighMeasurements(parseImaList(list), known);
  // A template's name and the SHA-1, which this register does not depend on, are left alone.
  const dataAt = list.indexOf("sha256:") - 8;
  fc.assert(
    fc.property(fc.integer({ min: dataAt, max: dataAt + 50 }), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const changed = Buffer.from(list);
      changed[at] = (changed[at] ?? 0) ^ change;
      const valueOf = () => weighMeasurements(parseImaList(changed), known).pcr10;
      try {
        expect(valueOf()).not.toBe(pcr10);
      } catch (error) {
        if (!(error instanceof ParseError)) throw error;
      }
    }),
  );
});

test("the list is read from below the root; without one the system says so", async () => {
  const root = await mkdtemp(join(tmpdir(), "quorate-ima-"));
  await expect(loadImaList(root)).rejects.toMatchObject({ code: "ENOENT" });
  const place = join(root, "sys/kernel/security/ima/binary_runtime_measurements");
  await mkdir(dirname(place), { recursive: true });
  await writeFile(place, listOf({ digest: tool, path: "/usr/bin/tool" }));
  expect(await loadImaList(root)).toHaveLength(1);
  await rm(root, { recursive: true });
});
