import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseDeployment } from "@quorate/attestation/deployment";
import { parseEnvelope, verifyEnvelope } from "@quorate/attestation/dsse";
import { formatCanonicalJson } from "@quorate/protocol/canonical-json";
import { sha256Of } from "@quorate/protocol/digest";
import { utf8 } from "@quorate/protocol/utf8";
import { loadP256Key, verifyP256 } from "@quorate/signing/p256-key";
import { Version } from "@cyclonedx/cyclonedx-library/Spec";
import { JsonStrictValidator } from "@cyclonedx/cyclonedx-library/Validation";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { type AuditOptions, runAudit } from "../../services/cli/src/commands/audit.ts";
import { recordingContext } from "../../services/cli/src/recording-terminal.fixture.ts";
import { ReproducedPackages, anyAge, createRoot, installDebs } from "../audited-host.ts";
import { buildSmallDeb } from "../small-deb.ts";

let directory = "";
let network: ReproducedPackages;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "quorate-documents-"));
  network = await ReproducedPackages.start(directory);
  const tool = await buildSmallDeb(directory, { name: "tool", version: "1.0+b1", files: { "usr/bin/tool": "tool\n" } });
  const unknown = await buildSmallDeb(directory, {
    name: "unknown",
    version: "1:1.0~rc1+b2",
    files: { "usr/bin/unknown": "unknown\n" },
  });
  await network.reproduce(tool);
  await network.publish();
  await network.sync(join(directory, "snapshot"));
  await createRoot(join(directory, "root"));
  await installDebs(join(directory, "root"), [tool, unknown]);
});
afterAll(async () => {
  await network?.[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

async function documentOf(format: AuditOptions["format"]): Promise<{ code: number; document: object }> {
  const context = recordingContext();
  const code = await runAudit({ root: join(directory, "root"), snapshot: join(directory, "snapshot"), freshness: anyAge, format }, context);
  const [document] = context.json;
  if (typeof document !== "object" || document === null) throw new Error("no document was printed");
  return { code, document };
}

const reproduced = "pkg:deb/debian/tool@1.0%2Bb1?arch=all";
const sha256 = expect.stringMatching(/^[0-9a-f]{64}$/) as unknown;

test("CycloneDX names each package by its purl, with the digest and the verdict of what was rebuilt", async () => {
  const { code, document } = await documentOf("cyclonedx");
  expect(code).toBe(1);
  expect(document).toMatchObject({
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    components: [
      {
        purl: reproduced,
        hashes: [{ alg: "SHA-256", content: sha256 }],
        properties: [{ value: expect.stringMatching(/^reproduced, log entry \d+$/) as unknown }],
      },
      { purl: "pkg:deb/debian/unknown@1%3A1.0~rc1%2Bb2?arch=all", properties: [{ value: "unverified: no verdict on this version" }] },
    ],
  });
});

test("the schema of CycloneDX 1.6 takes it", async () => {
  const { document } = await documentOf("cyclonedx");
  const validator = new JsonStrictValidator(Version.v1dot6);
  expect(await validator.validate(JSON.stringify(document))).toBeNull();
  expect(await validator.validate(JSON.stringify({ ...document, made: "here" }))).not.toBeNull();
});

test("SPDX does the same", async () => {
  const { document } = await documentOf("spdx");
  expect(document).toMatchObject({
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    packages: [
      { checksums: [{ algorithm: "SHA256", checksumValue: sha256 }], externalRefs: [{ referenceLocator: reproduced }] },
      { comment: "unverified: no verdict on this version" },
    ],
    relationships: [{ relationshipType: "DESCRIBES" }, { relationshipType: "DESCRIBES" }],
  });
});

/** Of SPDX 2.3 what is in a document here: its schema allows no other fields. https://spdx.github.io/spdx-spec/v2.3/ */
const spdxId = z.string().regex(/^SPDXRef-[A-Za-z0-9.-]+$/);
const spdxSchema = z.strictObject({
  spdxVersion: z.literal("SPDX-2.3"),
  dataLicense: z.literal("CC0-1.0"),
  SPDXID: z.literal("SPDXRef-DOCUMENT"),
  name: z.string().min(1),
  documentNamespace: z.url().regex(/^[^#]*$/),
  creationInfo: z.strictObject({
    created: z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    creators: z.array(z.string().regex(/^(?:Tool|Organization|Person): ./)).min(1),
  }),
  packages: z.array(
    z.strictObject({
      SPDXID: spdxId,
      name: z.string().min(1),
      versionInfo: z.string(),
      downloadLocation: z.literal("NOASSERTION"),
      filesAnalyzed: z.literal(false),
      checksums: z.array(z.strictObject({ algorithm: z.literal("SHA256"), checksumValue: z.string().regex(/^[0-9a-f]{64}$/) })).optional(),
      externalRefs: z.array(
        z.strictObject({
          referenceCategory: z.literal("PACKAGE-MANAGER"),
          referenceType: z.literal("purl"),
          referenceLocator: z.string().regex(/^pkg:[^\s@]+@[^\s?]+\?[^\s]+$/),
        }),
      ),
      comment: z.string(),
    }),
  ),
  relationships: z.array(
    z.strictObject({ spdxElementId: z.literal("SPDXRef-DOCUMENT"), relationshipType: z.literal("DESCRIBES"), relatedSpdxElement: spdxId }),
  ),
});

test("it has what SPDX 2.3 requires, no field that SPDX does not know, and describes each of its packages once", async () => {
  const { packages, relationships } = spdxSchema.parse((await documentOf("spdx")).document);
  expect(new Set(packages.map(({ SPDXID }) => SPDXID)).size).toBe(packages.length);
  expect(relationships.map(({ relatedSpdxElement }) => relatedSpdxElement)).toEqual(packages.map(({ SPDXID }) => SPDXID));
});

test("signed reports are numbered, each names the one before, and none is signed without knowing which was last", async () => {
  const sign = join(directory, "reports");
  const report = async () => {
    const context = recordingContext();
    const options = { root: join(directory, "root"), snapshot: join(directory, "snapshot"), freshness: anyAge, sign };
    expect(await runAudit(options, context)).toBe(1);
    const envelope = utf8(context.printed.join(""));
    const { spki } = loadP256Key(join(sign, "key.pem"));
    verifyEnvelope(parseEnvelope(envelope), [spki], verifyP256);
    return { envelope, report: parseDeployment(parseEnvelope(envelope).payload).deployment.report };
  };
  const first = await report();
  // As if the first run had been killed before it wrote this one.
  await rm(join(sign, "key.pub"));
  const second = await report();
  expect(await readFile(join(sign, "key.pub"), "utf8")).toMatch(/^-----BEGIN PUBLIC KEY-----\n/);
  expect(first.report).toEqual({ sequence: 1, nonce: expect.stringMatching(/^[0-9a-f]{32}$/) as unknown });
  expect(second.report).toMatchObject({ sequence: 2, previous: sha256Of(first.envelope) });
  expect(second.report?.nonce).not.toBe(first.report?.nonce);
  await writeFile(join(sign, "last-report.json"), "{}");
  await expect(report()).rejects.toMatchObject({ exitCode: 3 });
});

test("a deployment statement has one root for what was found, and another once something is tampered with", async () => {
  const statementOf = async () => parseDeployment(utf8(formatCanonicalJson((await documentOf("deployment")).document)));
  const [first, again] = [await statementOf(), await statementOf()];
  expect(first).toMatchObject({ deployment: { outcome: "drift", verified: [{ package: "tool" }], unverified: [{ package: "unknown" }] } });
  expect(again.subject).toEqual(first.subject);
  await appendFile(join(directory, "root/usr/bin/tool"), "evil\n");
  const tampered = await statementOf();
  expect(tampered.deployment).toMatchObject({ outcome: "tampering", findings: [{ class: "modified", path: "usr/bin/tool" }] });
  expect(tampered.subject.digest).not.toEqual(first.subject.digest);
});
