import { predicateTypes } from "@quorate/protocol/entry";
import type { Sha256 } from "@quorate/protocol/digest";
import { forms } from "@quorate/protocol/names";
import type { OperatorId } from "@quorate/protocol/operator";
import { type ArtifactVerdict, type Verdict, type VerdictInput, standings, verdictOutcomes } from "@quorate/protocol/verdict";
import { canonicalGrammar, listForm } from "./canonical-grammar.ts";
import type { LogStatement } from "./log-statement.ts";
import { count, operator, operators, readOperators, sha256 } from "./plain-forms.ts";
import { statementType } from "./statement.ts";
import { entryPrefix, targetPrefix, verifierId } from "./verification-summary.ts";

const outcome = `(?:${verdictOutcomes.join("|")})`;

const attestations = canonicalGrammar(`{"digest":{"sha256":"<sha256>"},"uri":"${entryPrefix}<index>"}`, { sha256, index: count });
const inputs = canonicalGrammar('{"index":<index>,"operator":"<operator>","standing":"<standing>"}', {
  index: count,
  operator,
  standing: `(?:${standings.join("|")})`,
});
const digests = canonicalGrammar('{"operators":[<operators>],"sha256":"<sha256>"}', {
  operators: listForm(operators, { empty: false }),
  sha256,
});
const artifacts = canonicalGrammar('{"digests":[<digests>],"file":"<file>","outcome":"<outcome>","reference":"<reference>"}', {
  digests: listForm(digests, { empty: true }),
  file: forms.fileName,
  outcome,
  reference: sha256,
});
const subjects = canonicalGrammar('{"digest":{"sha256":"<reference>"},"name":"<file>"}', { reference: sha256, file: forms.fileName });

const verdicts = canonicalGrammar(
  `{"_type":"${statementType}","predicate":{"inputAttestations":[<attestations>],` +
    `"policy":{"digest":{"sha256":"<policy>"},"uri":"${predicateTypes.policy}"},` +
    `"quorate_verdict":{"artifacts":[<artifacts>],"dissent":[<dissent>],"inputs":[<inputs>],"outcome":"<outcome>","round":"<round>",` +
    `"target":"<target>"},"resourceUri":"${targetPrefix}<resource>","timeVerified":"<decidedAt>","verificationResult":"<result>",` +
    `"verifiedLevels":["<level>"],"verifier":{"id":"${verifierId}"}},"predicateType":"${predicateTypes.verdict}","subject":[<subjects>]}`,
  {
    attestations: listForm(attestations, { empty: true }),
    policy: sha256,
    artifacts: listForm(artifacts, { empty: false }),
    dissent: listForm(operators, { empty: true }),
    inputs: listForm(inputs, { empty: true }),
    outcome,
    round: sha256,
    target: sha256,
    resource: sha256,
    decidedAt: forms.time,
    result: "(?:PASSED|FAILED)",
    level: "(?:QUORATE_REPRODUCED|FAILED)",
    subjects: listForm(subjects, { empty: false }),
  },
);

/** A verdict that gives no reason and supersedes none, from its payload's text, if it says alike what it says twice. */
export function readVerdict(text: string): LogStatement | undefined {
  const parts = verdicts.read(text);
  if (parts === undefined || parts.resource !== parts.target) return undefined;
  const summary = parts.outcome === "reproduced" ? "PASSED QUORATE_REPRODUCED" : "FAILED FAILED";
  if (`${parts.result} ${parts.level}` !== summary) return undefined;
  const ruled = readArtifacts(parts);
  const looked = readInputs(parts);
  if (ruled === undefined || looked === undefined) return undefined;
  const verdict: Verdict = {
    target: parts.target as Sha256,
    round: parts.round as Sha256,
    outcome: parts.outcome as Verdict["outcome"],
    artifacts: ruled,
    dissent: readOperators(parts.dissent),
    policy: parts.policy as Sha256,
    decidedAt: parts.decidedAt,
    inputs: looked,
  };
  return { kind: "verdict", verdict };
}

/** `undefined` unless the subjects are the artifacts with their references. */
function readArtifacts(parts: { readonly artifacts: string; readonly subjects: string }): ArtifactVerdict[] | undefined {
  const named = subjects.readItems(parts.subjects);
  const read = artifacts.readItems(parts.artifacts);
  const agrees =
    named.length === read.length &&
    read.every(({ file, reference }, at) => {
      return file === named[at]?.file && reference === named[at].reference;
    });
  if (!agrees) return undefined;
  return read.map(({ file, reference, outcome: said, digests: list }) => ({
    file,
    reference: reference as Sha256,
    outcome: said as ArtifactVerdict["outcome"],
    digests: digests.readItems(list).map((voted) => ({ sha256: voted.sha256 as Sha256, operators: readOperators(voted.operators) })),
  }));
}

/** `undefined` unless each input has its attestation. */
function readInputs(parts: { readonly inputs: string; readonly attestations: string }): VerdictInput[] | undefined {
  const attested = attestations.readItems(parts.attestations);
  const read = inputs.readItems(parts.inputs);
  if (attested.length !== read.length || !read.every(({ index }, at) => index === attested[at]?.index)) return undefined;
  return read.map(({ index, operator: by, standing }, at) => ({
    index: Number(index),
    operator: by as OperatorId,
    standing: standing as VerdictInput["standing"],
    envelope: attested[at]?.sha256 as Sha256,
  }));
}
