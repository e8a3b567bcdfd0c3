import type { Sha256 } from "./digest.ts";

/** The kinds of log entries and the predicate type of each (docs/predicates/). A failed result has a predicate type of its own. */
export const predicateTypes = {
  policy: "https://quorate.dev/policy/v1",
  operator: "https://quorate.dev/operator/v1",
  target: "https://quorate.dev/target/v1",
  round: "https://quorate.dev/round/v1",
  commitment: "https://quorate.dev/commitment/v1",
  built: "https://slsa.dev/provenance/v1",
  failed: "https://in-toto.io/attestation/test-result/v0.1",
  verdict: "https://slsa.dev/verification_summary/v1",
  largeEnvelope: "https://quorate.dev/large-envelope/v1",
} as const;

export const debianBuildType = "https://quorate.dev/build/debian/v1";

/** Largest entry in bytes: an entry bundle frames entries with a 16-bit length. */
export const maxEntryBytes = 65_535;

/** Largest envelope in bytes, which is more than a target of 2,000 artifacts, its results and its verdict take. */
export const maxEnvelopeBytes = 4_194_304;

/** Logical keys (a rotation's ends in the id that its new key would give): appending a second entry with the key of an earlier one returns the earlier one's index. */
export const entryKey = {
  policy: (policy: Sha256) => `policy/${policy}`,
  enrolment: (operator: string) => `operator/${operator}/enrol`,
  rotation: (operator: string, identityKey: string) => `operator/${operator}/rotate/${identityKey}`,
  revocation: (operator: string) => `operator/${operator}/revoke`,
  target: (target: Sha256) => `target/${target}`,
  round: (round: Sha256, standInsCalled: number) => `round/${round}/${standInsCalled}`,
  commitment: (round: Sha256, operator: string) => `commitment/${round}/${operator}`,
  result: (round: Sha256, operator: string) => `result/${round}/${operator}`,
  record: (round: Sha256, operator: string) => `record/${round}/${operator}`,
  verdict: (round: Sha256) => `verdict/${round}`,
} as const;
