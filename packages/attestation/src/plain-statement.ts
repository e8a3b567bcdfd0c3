import { debianBuildType, predicateTypes } from "@quorate/protocol/entry";
import type { Sha256 } from "@quorate/protocol/digest";
import { jobIdOf } from "@quorate/protocol/job";
import { forms } from "@quorate/protocol/names";
import type { OperatorId } from "@quorate/protocol/operator";
import { type BuiltResult, type Byproduct, type Result, byproductSchema } from "@quorate/protocol/result";
import type { Hasher } from "@quorate/tlog/merkle";
import { canonicalGrammar, listForm } from "./canonical-grammar.ts";
import type { LogStatement } from "./log-statement.ts";
import { count, line, operator, operators, positive, readOperators, sha256 } from "./plain-forms.ts";
import { readTarget } from "./plain-target.ts";
import { readVerdict } from "./plain-verdict.ts";
import { builderPrefix, environmentName } from "./provenance.ts";
import { statementType } from "./statement.ts";

/** Longer ones are rare, and counts of what is in them have limits that these few bytes cannot reach. */
const longestText = 16_384;

const fileName = new RegExp(`^${forms.fileName}$`);

const resources = canonicalGrammar('{"digest":{"sha256":"<sha256>"},"name":"<name>"}', { sha256, name: line(300) });
const versions = canonicalGrammar('"<part>":"<version>"', { part: "[a-z][a-z0-9-]{0,39}", version: line(200) });
const byproducts = canonicalGrammar(
  '{"annotations":{"kind":"<kind>","sizeBytes":<sizeBytes>},"digest":{"sha256":"<sha256>"},"mediaType":"<mediaType>","name":"<name>"}',
  { kind: `(?:${byproductSchema.shape.kind.options.join("|")})`, sizeBytes: count, sha256, mediaType: line(100), name: line(300) },
);
const artifacts = canonicalGrammar('{"annotations":{"sizeBytes":<sizeBytes>},"digest":{"sha256":"<sha256>"},"name":"<name>"}', {
  sizeBytes: count,
  sha256,
  name: forms.fileName,
});

const commitments = canonicalGrammar(
  `{"_type":"${statementType}","predicate":{"envelope":"<envelope>","fence":<fence>,"operator":"<operator>","round":"<round>"},` +
    `"predicateType":"${predicateTypes.commitment}","subject":[{"digest":{"sha256":"<subject>"},"name":"result"}]}`,
  { envelope: sha256, fence: positive, operator, round: sha256, subject: sha256 },
);
const rounds = canonicalGrammar(
  `{"_type":"${statementType}","predicate":{"attempt":<attempt>,"committee":[<committee>],"policy":"<policy>",` +
    `"seed":{"rootSha256":"<root>","size":<size>},"standIns":[<standIns>],"standInsCalled":<standInsCalled>,"target":"<target>"},` +
    `"predicateType":"${predicateTypes.round}","subject":[{"digest":{"sha256":"<subject>"},"name":"target"}]}`,
  {
    attempt: "[1-9][0-9]{0,2}",
    committee: listForm(operators, { empty: false }),
    policy: sha256,
    root: sha256,
    size: count,
    standIns: listForm(operators, { empty: true }),
    standInsCalled: count,
    target: sha256,
    subject: sha256,
  },
);
const builds = canonicalGrammar(
  `{"_type":"${statementType}","predicate":{"buildDefinition":{"buildType":"${debianBuildType}",` +
    `"externalParameters":{"architecture":"<architecture>","distribution":"<distribution>","source":"<source>","suite":"<suite>",` +
    `"target":"<target>","version":"<version>"},` +
    `"internalParameters":{"fence":<fence>,"nonce":"<nonce>","round":"<round>","sandboxProfile":"<sandboxProfile>","variations":{}},` +
    `"resolvedDependencies":[<dependencies>]},` +
    `"runDetails":{"builder":{"id":"${builderPrefix}<operator>","version":{<versions>}},"byproducts":[<byproducts>],` +
    `"metadata":{"finishedOn":"<finishedAt>","invocationId":"<job>","quorate_trace":{"files":<files>,"rootSha256":"<root>"},` +
    `"startedOn":"<startedAt>"}}},"predicateType":"${predicateTypes.built}","subject":[<artifacts>]}`,
  {
    architecture: forms.architecture,
    distribution: forms.distribution,
    source: forms.packageName,
    suite: forms.suite,
    target: sha256,
    version: forms.packageVersion,
    fence: positive,
    nonce: "[0-9a-f]{32}",
    round: sha256,
    sandboxProfile: line(80),
    dependencies: listForm(resources, { empty: false }),
    operator,
    versions: listForm(versions, { empty: false }),
    byproducts: listForm(byproducts, { empty: true }),
    finishedAt: forms.time,
    job: "[0-9a-f]{32}-[0-9a-f]{32}",
    files: count,
    root: sha256,
    startedAt: forms.time,
    artifacts: listForm(artifacts, { empty: false }),
  },
);

/**
 * A commitment, a round, a built result, a target or a verdict from its payload's text, as `parseStatement` reads it, if nothing in it is out of
 * the ordinary: several times as fast, and they are nearly all that a log holds. `undefined` says nothing: for `parseStatement` to decide.
 */
export function readPlainStatement(text: string, hasher: Pick<Hasher, "digest">): LogStatement | undefined {
  if (text.length > longestText) return undefined;
  return readCommitment(text) ?? readRound(text) ?? readBuild(text) ?? readTarget(text, hasher) ?? readVerdict(text);
}

function readCommitment(text: string): LogStatement | undefined {
  const parts = commitments.read(text);
  if (parts === undefined || parts.subject !== parts.envelope) return undefined;
  const { envelope, fence, operator: by, round } = parts;
  return {
    kind: "commitment",
    commitment: { round: round as Sha256, operator: by as OperatorId, fence: Number(fence), envelope: envelope as Sha256 },
  };
}

function readRound(text: string): LogStatement | undefined {
  const parts = rounds.read(text);
  if (parts === undefined || parts.subject !== parts.target) return undefined;
  return {
    kind: "round",
    round: {
      target: parts.target as Sha256,
      attempt: Number(parts.attempt),
      policy: parts.policy as Sha256,
      seed: { size: Number(parts.size), rootSha256: parts.root as Sha256 },
      committee: readOperators(parts.committee),
      standIns: readOperators(parts.standIns),
      standInsCalled: Number(parts.standInsCalled),
    },
  };
}

function readBuild(text: string): LogStatement | undefined {
  const parts = builds.read(text);
  if (parts === undefined || parts.job !== jobIdOf(parts.round, parts.operator)) return undefined;
  const kept = byproducts.readItems(parts.byproducts).map(byproductIn);
  const dependencies = readDependencies(parts.dependencies, kept);
  const builderVersion = readVersions(parts.versions);
  if (dependencies === undefined || builderVersion === undefined) return undefined;
  const { architecture, distribution, source, suite, version, nonce, sandboxProfile, startedAt, finishedAt } = parts;
  const result: Result = {
    outcome: "built",
    target: parts.target as Sha256,
    round: parts.round as Sha256,
    operator: parts.operator as OperatorId,
    fence: Number(parts.fence),
    nonce,
    distribution,
    suite,
    source,
    version,
    architecture,
    ...dependencies,
    builderVersion,
    sandboxProfile,
    startedAt,
    finishedAt,
    byproducts: kept,
    artifacts: artifacts.readItems(parts.artifacts).map(({ name, sizeBytes, sha256: digest }) => {
      return { name, sizeBytes: Number(sizeBytes), sha256: digest as Sha256 };
    }),
    trace: { rootSha256: parts.root as Sha256, files: Number(parts.files) },
  };
  return { kind: "result", result };
}

type ByproductParts = ReturnType<typeof byproducts.readItems>[number];

function byproductIn({ kind, name, sizeBytes, sha256: digest, mediaType }: ByproductParts): Byproduct {
  return { kind: kind as Byproduct["kind"], name, sizeBytes: Number(sizeBytes), sha256: digest as Sha256, mediaType };
}

/** The sources, the environment pin, and once more each environment lock that is among the byproducts; `undefined` for anything else. */
function readDependencies(list: string, kept: readonly Byproduct[]): Pick<BuiltResult, "sources" | "environment"> | undefined {
  const listed = resources.readItems(list).map(({ name, sha256: digest }) => ({ name, sha256: digest as Sha256 }));
  const environmentAt = listed.findIndex(({ name }) => name === environmentName);
  const sources = listed.slice(0, Math.max(0, environmentAt));
  const [environment, ...locks] = listed.slice(environmentAt);
  const known = kept.filter(({ kind }) => kind === "environment-lock");
  const agrees =
    locks.length === known.length &&
    locks.every(({ name, sha256: digest }, at) => name === known[at]?.name && digest === known[at]?.sha256);
  const isWhole = environmentAt >= 0 && environment !== undefined && agrees && sources.every(({ name }) => fileName.test(name));
  return isWhole ? { sources, environment: environment.sha256 } : undefined;
}

/** `undefined` unless they are in the order of canonical JSON, each once. */
function readVersions(list: string): BuiltResult["builderVersion"] | undefined {
  const read = versions.readItems(list);
  const isOrdered = read.every(({ part }, at) => at === 0 || (read[at - 1]?.part ?? "") < part);
  return isOrdered ? Object.fromEntries(read.map(({ part, version }) => [part, version])) : undefined;
}
