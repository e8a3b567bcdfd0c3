import { type TraceFile, traceSummaryOf } from "@quorate/attestation/build-trace";
import { formatHashedRekord, hashedRekordOf } from "@quorate/attestation/hashed-rekord";
import { parseEnvelope } from "@quorate/attestation/dsse";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { signStatement } from "@quorate/signing/envelope";
import type { OperatorId } from "@quorate/protocol/operator";
import type { Byproduct, Result } from "@quorate/protocol/result";
import { type Round, roundIdOf } from "@quorate/protocol/round";
import { type Target, environmentPinDigestOf, targetDigestOf } from "@quorate/protocol/target";
import { sha256FromHash } from "@quorate/tlog/hash";
import { drawCommittee, eligibleFor } from "@quorate/verdict/committee";
import { evaluate } from "@quorate/verdict/evaluate";
import type { LoggedCommitment, LoggedResult } from "@quorate/verdict/evidence";
import { type GeneratedNetwork, digestNamed } from "./generated-network.ts";

const traceFiles = 32;
const time = "2026-11-23T08:00:00Z";

/** What happens in a round; without it all operators get the published bytes. Whose result is hidden has committed to it. */
export type Oddity = "one-differs" | "all-differ" | "one-fails" | "one-hides";

type Rebuild = { readonly number: number; readonly oddity?: Oddity; readonly earlierVerdict?: number };

/**
 * Logs a target and a round of it up to its verdict, or a second round whose verdict supersedes an earlier one. Stops after each entry, so that
 * rounds mix.
 *
 * @returns the verdict's index
 */
export function* generateRound(network: GeneratedNetwork, { number, oddity, earlierVerdict }: Rebuild): Generator<undefined, number> {
  const target = targetNumbered(number);
  const attempt = earlierVerdict === undefined ? 1 : 2;
  if (attempt === 1) yield void network.append({ kind: "target", target });
  const round = drawRound(network, target, attempt);
  yield void network.append({ kind: "round", round });
  const roundId = roundIdOf(round.target, attempt);
  const honest = keptTrace(network, round, "");
  const other = oddity === "one-differs" || oddity === "all-differ" ? keptTrace(network, round, "differs") : honest;
  const built = round.committee.map((operator, seat) => {
    const isOdd = seat === 0 || oddity === "all-differ";
    const trace = isOdd ? other : honest;
    const result = resultOf({ operator, target, round, trace, fails: isOdd && oddity === "one-fails" });
    return { operator, result, trace: trace.files, envelope: signStatement({ kind: "result", result }, [network.signerOf(operator)]) };
  });
  const commitments: LoggedCommitment[] = [];
  for (const { envelope, operator } of built) {
    const statement = { round: roundId, operator, fence: 1, envelope: nodeHasher.digest(envelope) };
    commitments.push({ index: network.append({ kind: "commitment", commitment: statement }, [network.signerOf(operator)]), statement });
    yield;
  }
  const results: LoggedResult[] = [];
  for (const { result, trace, envelope, operator } of built.slice(oddity === "one-hides" ? 1 : 0)) {
    results.push({ index: network.appendSigned(envelope), envelope: nodeHasher.digest(envelope), result, trace });
    yield;
    network.log.append(formatHashedRekord(hashedRekordOf(parseEnvelope(envelope), network.signerOf(operator).spki, nodeHasher)));
    yield;
  }
  const evidence = { target, targetDigest: round.target, round, roundId, commitments, results, enrolled: network.enrolled, closed: true };
  const decision = evaluate(evidence, network.policy);
  if (decision.kind === "undecided") throw new Error("a closed round is always decided");
  const { kind: _decided, ...decided } = decision;
  const verdict = { target: round.target, round: roundId, policy: round.policy, ...decided, decidedAt: time };
  const superseding = earlierVerdict === undefined ? {} : { supersedes: earlierVerdict };
  return network.append({ kind: "verdict", verdict: { ...verdict, ...superseding } });
}

function drawRound({ log, policy, policyDigest, enrolled }: GeneratedNetwork, target: Target, attempt: number): Round {
  const { size } = log.tree;
  const seedRoot = log.tree.rootAt(size);
  const digest = targetDigestOf(target);
  const eligible = eligibleFor(target, { enrolled, seedSize: size });
  const drawn = drawCommittee({ seedRoot, target: digest, attempt, eligible, policy });
  const rootSha256 = sha256FromHash(seedRoot);
  return { target: digest, attempt, policy: policyDigest, seed: { size, rootSha256 }, ...drawn, standInsCalled: 0 };
}

function targetNumbered(number: number): Target {
  const source = `package-${number}`;
  const directory = `pool/main/p/${source}`;
  const names = [".dsc", ".orig.tar.xz", "-1.debian.tar.xz"].map((ending) => `${source}_1.0${ending}`);
  const digest = (what: string) => digestNamed(`${what} of ${number}`);
  return {
    distribution: "debian",
    suite: "bookworm",
    component: "main",
    source,
    version: "1.0-1",
    architecture: "amd64",
    directory,
    files: names.map((name) => ({ name, sizeBytes: 20_000, sha256: digest(name) })),
    artifacts: [source, `lib${source}`].map((name) => {
      const file = `${name}_1.0-1_amd64.deb`;
      const identity = { package: name, version: "1.0-1", architecture: "amd64" };
      return { file, path: `${directory}/${file}`, ...identity, sizeBytes: 40_000, sha256: digest(file) };
    }),
    environment: {
      kind: "suite",
      // An archive is published a few times a day.
      suites: ["bookworm", "bookworm-updates"].map((suite) => {
        const release = `${suite} ${Math.floor(number / 500)}`;
        const indices = [{ path: "main/binary-amd64/Packages", sizeBytes: 48_000_000, sha256: digestNamed(`Packages of ${release}`) }];
        return { suite, inReleaseSha256: digestNamed(release), indices };
      }),
      expiredAllowed: false,
    },
  };
}

type KeptTrace = { readonly flavour: string; readonly files: readonly TraceFile[]; readonly byproduct: Byproduct };

function keptTrace(network: GeneratedNetwork, { target }: Round, flavour: string): KeptTrace {
  const files = Array.from({ length: traceFiles }, (_, at) => {
    const path = `build/src/module-${at}.o`;
    return { path, sizeBytes: 1_000 + at, sha256: digestNamed(`${path} ${target} ${flavour}`) };
  });
  const byproduct = { kind: "build-trace" as const, name: "build.trace", ...network.keepTrace(files), mediaType: "text/plain" };
  return { flavour, files, byproduct };
}

type Part = {
  readonly operator: OperatorId;
  readonly target: Target;
  readonly round: Round;
  readonly trace: KeptTrace;
  readonly fails: boolean;
};

function resultOf({ operator, target, round, trace, fails }: Part): Result {
  const { distribution, suite, source, version, architecture } = target;
  const byproducts = byproductsOf(`${operator} ${round.target}`);
  const common = {
    target: round.target,
    round: roundIdOf(round.target, round.attempt),
    operator,
    fence: 1,
    nonce: digestNamed(`nonce of ${operator} for ${round.target}/${round.attempt}`).slice(0, 32),
    distribution,
    suite,
    source,
    version,
    architecture,
    environment: environmentPinDigestOf(target.environment),
    builderVersion: { worker: "0.1.0", kernel: "6.12.0", dpkg: "1.21.22" },
    sandboxProfile: "namespaces/v1",
    startedAt: time,
    finishedAt: time,
    byproducts: fails ? byproducts : [...byproducts, trace.byproduct],
  };
  if (fails) {
    const failure = { reason: "build-failed" as const, step: "build", message: "dh_auto_test: exit code 2" };
    return { ...common, outcome: "failed", failure };
  }
  const artifacts = target.artifacts.map(({ file, sizeBytes, sha256 }) => {
    return { name: file, sizeBytes, sha256: trace.flavour === "" ? sha256 : digestNamed(`${file} ${trace.flavour}`) };
  });
  const sources = target.files.map(({ name, sha256 }) => ({ name, sha256 }));
  return { ...common, outcome: "built", artifacts, sources, trace: traceSummaryOf(trace.files, nodeHasher) };
}

function byproductsOf(what: string): Byproduct[] {
  return (["build-log", "buildinfo", "environment-lock", "manifest", "in-toto-links"] as const).map((kind) => {
    return { kind, name: `${kind}.txt`, sizeBytes: 9_000, sha256: digestNamed(`${kind} of ${what}`), mediaType: "text/plain" };
  });
}
