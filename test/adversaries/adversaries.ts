export type Adversary = {
  readonly party: "operator" | "coordinator" | "log" | "witness" | "outsider";
  readonly does: string;
  readonly caughtBy: string;
  /** What anyone, or the party named, runs to see it. */
  readonly seenWith: string;
  /** What stays true in spite of it. */
  readonly verdict: string;
};

/** Every adversary that a test of this name plays for real. docs/threat-model.md is made from this list. */
export const adversaries = {
  "lazy-operator": {
    party: "operator",
    does: "downloads the published package, claims to have rebuilt it, and invents a build trace",
    caughtBy: "`evaluate`: no other operator's trace agrees with the invented one, so the result does not count",
    seenWith: "`quorate status ROUND`",
    verdict: "that of the operators who did build",
  },
  "lazy-majority": {
    party: "operator",
    does: "is one of two lazy operators in a committee of three, which is as many as the threshold",
    caughtBy: "`evaluate`: two invented traces do not agree with each other either",
    seenWith: "`quorate status ROUND`",
    verdict: "never `reproduced`",
  },
  "traceless-claim": {
    party: "operator",
    does: "claims the published package and gives no build trace at all",
    caughtBy: "`evaluate`, where the policy does not count results without a trace",
    seenWith: "`quorate status ROUND`",
    verdict: "that of the operators who did build",
  },
  copier: {
    party: "operator",
    does: "copies another's commitment, or waits for the reveal and then commits to what it saw",
    caughtBy: "the commitment binds an envelope that only its author can sign; after the first reveal none is taken",
    seenWith: "`quorate status ROUND`",
    verdict: "that of the others",
  },
  "never-reveals": {
    party: "operator",
    does: "commits to a result and never reveals it",
    caughtBy: "its commitment stays in the log without a result",
    seenWith: "`quorate replay`, `quorate status ROUND`",
    verdict: "that of the others, after the reveal deadline",
  },
  "reveals-another": {
    party: "operator",
    does: "reveals another result than the one it committed to",
    caughtBy: "the envelope's digest is not the committed one: refused, and the commitment stays without a result",
    seenWith: "`quorate replay`, `quorate status ROUND`",
    verdict: "that of the others",
  },
  "stale-fence": {
    party: "operator",
    does: "reports with a lease that was given to another of its workers since",
    caughtBy: "the fence is older than the newest delivery's: refused",
    seenWith: "the coordinator's log and metrics",
    verdict: "that of the newer lease",
  },
  "old-result": {
    party: "operator",
    does: "sends its signed result of an older version again",
    caughtBy: "the envelope names another round and target: refused",
    seenWith: "the coordinator's log and metrics",
    verdict: "that of the others",
  },
  "liar-minority": {
    party: "operator",
    does: "is one of a minority that agrees on other bytes",
    caughtBy: "outvoted, and named as dissenter",
    seenWith: "`quorate status ROUND`",
    verdict: "`reproduced`, with dissent",
  },
  "two-keys": {
    party: "operator",
    does: "enrols twice with two keys, and votes with both",
    caughtBy: "operators of one organisation count once where the policy says so",
    seenWith: "`quorate status ROUND`",
    verdict: "not `reproduced` by those two and one more",
  },
  "two-of-a-group": {
    party: "operator",
    does: "votes together with another that is hosted by the same company",
    caughtBy: "operators of one hosting group count once where the policy says so",
    seenWith: "`quorate status ROUND`",
    verdict: "not `reproduced` by those two and one more",
  },
  "one-country": {
    party: "operator",
    does: "agrees with a majority that is all in one country, under a policy that asks for two",
    caughtBy: "the diversity rule of the policy",
    seenWith: "`quorate status ROUND`",
    verdict: "not `reproduced`",
  },
  "revoked-key": {
    party: "operator",
    does: "goes on with a key that was revoked, and a coordinator lets it",
    caughtBy: "results after the revocation's index do not count: a verdict that counts one is named",
    seenWith: "`quorate replay`",
    verdict: "the forged one is refused",
  },
  "forged-verdict": {
    party: "coordinator",
    does: "logs a verdict that the evidence does not give",
    caughtBy: "the verdict is recomputed from the log and differs",
    seenWith: "`quorate replay`",
    verdict: "the forged one is refused",
  },
  "forged-claim": {
    party: "coordinator",
    does: "signs a rebuild claim itself, with the network key",
    caughtBy: "the operator's signature is missing; the network may make no claim",
    seenWith: "`quorate replay`",
    verdict: "the forged one is refused",
  },
  "hidden-result": {
    party: "coordinator",
    does: "keeps a revealed result out of the log",
    caughtBy: "the commitment is in the log without a result, and its operator holds the envelope that it binds",
    seenWith: "`quorate replay`",
    verdict: "right for what is in the log, with the missing operator named",
  },
  "chosen-committee": {
    party: "coordinator",
    does: "picks the committee",
    caughtBy: "the seed draws another one",
    seenWith: "`quorate replay`",
    verdict: "the round is refused",
  },
  "old-policy": {
    party: "coordinator",
    does: "goes on drawing rounds under a policy that a new version has replaced",
    caughtBy: "the policy in force where the round is logged is another one",
    seenWith: "`quorate replay`",
    verdict: "the round is refused",
  },
  "backdated-seed": {
    party: "coordinator",
    does: "draws the committee from a tree that is older than the target",
    caughtBy: "the seed's tree lacks the target's entry",
    seenWith: "`quorate replay`",
    verdict: "the round is refused",
  },
  "backdated-commitment": {
    party: "coordinator",
    does: "lets a friend commit after the others have revealed, and counts it",
    caughtBy: "the order of the log: a commitment after the first reveal does not count",
    seenWith: "`quorate replay`",
    verdict: "the forged one is refused",
  },
  "second-verdict": {
    party: "coordinator",
    does: "logs a second verdict on the same round",
    caughtBy: "a round has one verdict entry",
    seenWith: "`quorate replay`",
    verdict: "the second is refused",
  },
  "two-histories": {
    party: "log",
    does: "signs two histories, and shows one to mirrors and the other to a monitor, each with as many witnesses as the reader asks for",
    caughtBy: "the monitor compares what log, witnesses and mirrors show, and writes both signed checkpoints down as evidence",
    seenWith: "`quorate monitor`, `quorate verify-evidence`",
    verdict: "neither history is believed by who has the evidence",
  },
  "colluding-witnesses": {
    party: "witness",
    does: "cosigns a fork of the log, together with fewer others than the reader's quorum",
    caughtBy: "the reader's own witness policy",
    seenWith: "`quorate log fsck`, `quorate replay`, `quorate verify`",
    verdict: "nothing of the fork is believed",
  },
  "outsider-http": {
    party: "outsider",
    does: "enrols, submits or uploads without a token, or with one for something else",
    caughtBy: "401, before the body is read",
    seenWith: "the coordinator's metrics",
    verdict: "nothing has changed",
  },
  "outsider-nats": {
    party: "outsider",
    does: "connects to NATS without credentials, or with credentials of another network",
    caughtBy: "the server refuses the connection",
    seenWith: "the server's log",
    verdict: "nothing has changed",
  },
} as const satisfies Record<string, Adversary>;

/** The list as a table in Markdown. */
export function formatAdversaries(): string {
  const rows = Object.entries(adversaries).map(([id, { party, does, caughtBy, seenWith, verdict }]) => [
    `\`${id}\``,
    party,
    does,
    caughtBy,
    seenWith,
    verdict,
  ]);
  const table = [["test", "who", "does", "caught by", "seen with", "the verdict"], ...rows];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => (row[column] ?? "").length))) ?? [];
  const lines = table.map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`);
  return [lines[0], `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...lines.slice(1)].join("\n");
}
