import { type Sha256, parseSha256 } from "@quorate/protocol/digest";
import {
  architectureSchema,
  distributionSchema,
  fileNameSchema,
  packageNameSchema,
  packageVersionSchema,
  suiteSchema,
} from "@quorate/protocol/names";
import { ParseError } from "@quorate/protocol/parse-error";
import { type VerdictOutcome, verdictOutcomes } from "@quorate/protocol/verdict";
import { parseDecimal } from "@quorate/tlog/decimal";
import type { z } from "zod";

/** What a snapshot says of one artifact: what its newest verdict comes to under the reader's own policy. */
export type SnapshotArtifact = {
  readonly package: string;
  readonly version: string;
  readonly architecture: string;
  readonly sha256: Sha256;
  /** `reproduced` only if enough of the reader's own operators built it; one that only others vouch for is `inconclusive`. */
  readonly outcome: VerdictOutcome;
  readonly verdictIndex: number;
  /** Of the manifest that those operators agree on. */
  readonly manifest?: Sha256;
  readonly distribution: string;
  readonly suite: string;
  readonly source: string;
  readonly sourceVersion: string;
  readonly file: string;
  /** The reader's operators that built it bit for bit, each with the index of its result. */
  readonly vouchers: readonly { readonly name: string; readonly index: number }[];
};

/**
 * One line, without its newline: package, version, architecture, SHA-256, outcome, index of the verdict, manifest or `-`, distribution/suite,
 * source, its version, file name, and the index and name of each voucher.
 *
 *     mailgraph 1.14-20 all 9f86… reproduced 12 2c26… debian/bookworm mailgraph 1.14-20 mailgraph_1.14-20_all.deb 10:ada 11:bert
 */
export function formatSnapshotArtifact(artifact: SnapshotArtifact): string {
  return [
    artifact.package,
    artifact.version,
    artifact.architecture,
    artifact.sha256,
    artifact.outcome,
    String(artifact.verdictIndex),
    artifact.manifest ?? "-",
    `${artifact.distribution}/${artifact.suite}`,
    artifact.source,
    artifact.sourceVersion,
    artifact.file,
    ...artifact.vouchers.map(({ name, index }) => `${index}:${name}`),
  ].join(" ");
}

/** The inverse of `formatSnapshotArtifact`. @throws ParseError */
export function parseSnapshotArtifact(line: string): SnapshotArtifact {
  const [
    name,
    version,
    architecture,
    sha256 = "",
    outcome,
    index = "",
    manifest = "",
    where = "",
    source,
    sourceVersion,
    file,
    ...vouchers
  ] = line.split(" ");
  const [distribution, suite, ...more] = where.split("/");
  const known = verdictOutcomes.find((candidate) => candidate === outcome);
  if (known === undefined || more.length > 0) throw new ParseError("line of a snapshot: outcome, distribution/suite", line);
  const word = (schema: z.ZodType<string>, text: string | undefined) => {
    const { data } = schema.safeParse(text);
    if (data === undefined) throw new ParseError("line of a snapshot", line);
    return data;
  };
  return {
    package: word(packageNameSchema, name),
    version: word(packageVersionSchema, version),
    architecture: word(architectureSchema, architecture),
    sha256: parseSha256(sha256),
    outcome: known,
    verdictIndex: parseDecimal("index of a verdict in a snapshot", index),
    ...(manifest === "-" ? {} : { manifest: parseSha256(manifest) }),
    distribution: word(distributionSchema, distribution),
    suite: word(suiteSchema, suite),
    source: word(packageNameSchema, source),
    sourceVersion: word(packageVersionSchema, sourceVersion),
    file: word(fileNameSchema, file),
    vouchers: vouchers.map((voucher) => parseVoucher(voucher)),
  };
}

function parseVoucher(text: string): { name: string; index: number } {
  const colon = text.indexOf(":");
  const name = text.slice(colon + 1);
  if (colon < 0 || name === "") throw new ParseError("voucher in a snapshot", text);
  return { name, index: parseDecimal("index of a result in a snapshot", text.slice(0, colon)) };
}
