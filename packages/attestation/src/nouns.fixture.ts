import { type Sha256, sha256Of } from "@quorate/protocol/digest";
import { type OperatorId, operatorIdOf } from "@quorate/protocol/operator";
import { defaultPolicy } from "@quorate/protocol/policy";
import type { BuiltResult, FailedResult } from "@quorate/protocol/result";
import { type Round, roundIdOf } from "@quorate/protocol/round";
import { type Target, environmentPinDigestOf, targetDigestOf } from "@quorate/protocol/target";
import { utf8 } from "@quorate/protocol/utf8";
import type { Verdict } from "@quorate/protocol/verdict";
import type { LogStatement } from "./log-statement.ts";
import { policyDigestOf } from "./log-statement.ts";

/** For tests: one value of every noun that is logged. The digest of something is the SHA-256 of its name here. */
export function digestOf(name: string): Sha256 {
  return sha256Of(utf8(name));
}

export function operatorOf(name: string): OperatorId {
  return operatorIdOf(utf8(name));
}

export const sampleTarget: Target = {
  distribution: "debian",
  suite: "bookworm",
  component: "main",
  source: "mailgraph",
  version: "1.14-20",
  architecture: "all",
  directory: "pool/main/m/mailgraph",
  files: [{ name: "mailgraph_1.14-20.dsc", sizeBytes: 1905, sha256: digestOf("dsc") }],
  artifacts: [
    {
      file: "mailgraph_1.14-20_all.deb",
      path: "pool/main/m/mailgraph/mailgraph_1.14-20_all.deb",
      package: "mailgraph",
      version: "1.14-20",
      architecture: "all",
      sizeBytes: 28_120,
      sha256: digestOf("reference"),
    },
  ],
  environment: {
    kind: "suite",
    suites: [
      {
        suite: "bookworm",
        inReleaseSha256: digestOf("InRelease"),
        indices: [{ path: "main/binary-amd64/Packages", sizeBytes: 48_000_000, sha256: digestOf("Packages") }],
      },
    ],
    expiredAllowed: false,
  },
};

export const sampleRound: Round = {
  target: targetDigestOf(sampleTarget),
  attempt: 1,
  policy: policyDigestOf(defaultPolicy),
  seed: { size: 5, rootSha256: digestOf("root") },
  committee: [operatorOf("ada"), operatorOf("bert"), operatorOf("cyd")],
  standIns: [operatorOf("dora")],
  standInsCalled: 0,
};

const common = {
  target: sampleRound.target,
  round: roundIdOf(sampleRound.target, 1),
  operator: operatorOf("ada"),
  fence: 1,
  nonce: "00112233445566778899aabbccddeeff",
  distribution: "debian",
  suite: "bookworm",
  source: "mailgraph",
  version: "1.14-20",
  architecture: "all",
  environment: environmentPinDigestOf(sampleTarget.environment),
  builderVersion: { worker: "0.1.0", kernel: "6.12.0", dpkg: "1.21.22" },
  sandboxProfile: "namespaces/v1",
  startedAt: "2026-11-23T08:00:00Z",
  finishedAt: "2026-11-23T08:00:04Z",
};

export const sampleBuilt: BuiltResult = {
  outcome: "built",
  ...common,
  byproducts: [
    { kind: "build-log", name: "build.log", sizeBytes: 9000, sha256: digestOf("log"), mediaType: "text/plain" },
    { kind: "environment-lock", name: "environment.json", sizeBytes: 70_000, sha256: digestOf("lock"), mediaType: "application/json" },
    { kind: "build-trace", name: "build.trace", sizeBytes: 10, sha256: digestOf("trace"), mediaType: "text/plain" },
  ],
  artifacts: [{ name: "mailgraph_1.14-20_all.deb", sizeBytes: 28_120, sha256: digestOf("reference") }],
  sources: [{ name: "mailgraph_1.14-20.dsc", sha256: digestOf("dsc") }],
  trace: { rootSha256: digestOf("trace root"), files: 9 },
};

export const sampleFailed: FailedResult = {
  outcome: "failed",
  ...common,
  byproducts: [],
  failure: { reason: "build-failed", step: "build", message: "dh_auto_test: exit code 2" },
};

export const sampleVerdict: Verdict = {
  target: sampleRound.target,
  round: common.round,
  policy: sampleRound.policy,
  outcome: "reproduced",
  artifacts: [
    {
      file: "mailgraph_1.14-20_all.deb",
      reference: digestOf("reference"),
      outcome: "reproduced",
      digests: [{ sha256: digestOf("reference"), operators: [operatorOf("ada"), operatorOf("bert")] }],
    },
  ],
  dissent: [],
  inputs: [
    { index: 12, envelope: digestOf("envelope of ada"), operator: operatorOf("ada"), standing: "counted" },
    { index: 13, envelope: digestOf("envelope of bert"), operator: operatorOf("bert"), standing: "counted" },
  ],
  decidedAt: "2026-11-23T08:00:10Z",
};

/** So many that a result which names them is too large for an entry. */
export const manyArtifacts = [
  ...sampleBuilt.artifacts,
  ...Array.from({ length: 400 }, (_, index) => ({ name: `many-${index}_1_all.deb`, sizeBytes: index, sha256: digestOf(`many ${index}`) })),
];

export const sampleStatements: Readonly<Record<string, LogStatement>> = {
  policy: { kind: "policy", policy: { ...defaultPolicy, diversity: [{ group: "country", distinct: 2 }] } },
  enrolment: {
    kind: "operator",
    predicate: {
      action: "enrol",
      operator: operatorOf("ada"),
      name: "Ada's rebuilder",
      contact: "ada@rebuilder.example",
      // The bytes "ada", so that the id above is theirs.
      identityKey: "YWRh",
      linkKey: "ERERERERERERERERERERERERERERERERERERERERERE=",
      hostname: "ada.rebuild.example",
      witnessVkey: "ada.example/witness+31b91f43+BAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g",
      groups: { country: "SE", organisation: "Ada" },
      architectures: ["amd64", "all"],
      ecosystems: ["debian"],
    },
  },
  rotation: { kind: "operator", predicate: { action: "rotate", operator: operatorOf("ada"), identityKey: "YWRhIGFnYWlu" } },
  revocation: { kind: "operator", predicate: { action: "revoke", operator: operatorOf("ada"), reason: "key lost" } },
  target: { kind: "target", target: sampleTarget },
  round: { kind: "round", round: sampleRound },
  commitment: {
    kind: "commitment",
    commitment: { round: common.round, operator: operatorOf("ada"), fence: 1, envelope: digestOf("envelope of ada") },
  },
  built: { kind: "result", result: sampleBuilt },
  failed: { kind: "result", result: sampleFailed },
  verdict: { kind: "verdict", verdict: sampleVerdict },
  largeEnvelope: { kind: "large-envelope", large: { envelope: digestOf("large envelope"), sizeBytes: 65_536 } },
  inconclusive: { kind: "verdict", verdict: { ...sampleVerdict, outcome: "inconclusive", reason: "1 of 2 agree", supersedes: 3 } },
};
