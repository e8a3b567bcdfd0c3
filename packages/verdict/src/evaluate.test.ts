import { digestOf, operatorOf, sampleTarget } from "@quorate/attestation/nouns.fixture";
import { defaultPolicy } from "@quorate/protocol/policy";
import type { Failure } from "@quorate/protocol/result";
import { targetDigestOf } from "@quorate/protocol/target";
import { describe, expect, test } from "vitest";
import { decide, enrolledOf, evidenceOf, roundOf } from "./evidence.fixture.ts";
import { evaluate } from "./evaluate.ts";
import { isRetried } from "./reason.ts";

const reference = "reference";
const testsFail: Failure = { reason: "build-failed", step: "build", message: "dh_auto_test: exit code 2" };
const timeout: Failure = { reason: "timeout", step: "build", message: "no end after 3600 seconds" };
const honest = Array.from({ length: 10 }, (_, index) => `object ${index}`);
const forged = honest.map((content) => `forged ${content}`);

describe("outcomes", () => {
  test("reproduced: two of three agree on the reference, and the third is named as dissenter", () => {
    const decision = decide([
      { by: "ada", digest: reference },
      { by: "bert", digest: reference },
      { by: "cyd", digest: "other" },
    ]);
    expect(decision).toMatchObject({ outcome: "reproduced", dissent: [operatorOf("cyd")] });
    expect(decision.reason).toBeUndefined();
    expect(decision.artifacts).toEqual([
      {
        file: "mailgraph_1.14-20_all.deb",
        reference: digestOf(reference),
        outcome: "reproduced",
        digests: [
          { sha256: digestOf(reference), operators: [operatorOf("ada"), operatorOf("bert")].sort() },
          { sha256: digestOf("other"), operators: [operatorOf("cyd")] },
        ],
      },
    ]);
  });

  test("mismatch: two agree on a digest that is not the reference", () => {
    const decision = decide([
      { by: "ada", digest: "evil" },
      { by: "bert", digest: "evil" },
      { by: "cyd", digest: reference },
    ]);
    expect(decision).toMatchObject({ outcome: "mismatch", dissent: [operatorOf("cyd")] });
  });

  test("unreproducible: all revealed, and no two agree", () => {
    const decision = decide([
      { by: "ada", digest: "1" },
      { by: "bert", digest: "2" },
      { by: "cyd", digest: "3" },
    ]);
    expect(decision).toMatchObject({ outcome: "unreproducible", dissent: [] });
  });

  test("two that differ are inconclusive while the third has not revealed", () => {
    const decision = decide([
      { by: "ada", digest: "1" },
      { by: "bert", digest: reference },
    ]);
    expect(decision).toMatchObject({ outcome: "inconclusive", reason: expect.stringContaining("1 of the 2 operators needed agrees") });
  });

  test("failed: two signed a failed build, and the reason is the one that most gave", () => {
    const decision = decide([
      { by: "ada", failure: timeout },
      { by: "bert", failure: testsFail },
      { by: "cyd", failure: testsFail },
    ]);
    expect(decision).toMatchObject({ outcome: "failed", reason: "build-failed: dh_auto_test: exit code 2 (build, 2 operators)" });
    expect(isRetried(decision)).toBe(false);
  });

  test("a failure that may pass is retried, so is an inconclusive round, and nothing else is", () => {
    expect(
      isRetried(
        decide([
          { by: "ada", failure: timeout },
          { by: "bert", failure: timeout },
        ]),
      ),
    ).toBe(true);
    expect(isRetried(decide([]))).toBe(true);
    expect(
      isRetried(
        decide([
          { by: "ada", digest: reference },
          { by: "bert", digest: reference },
        ]),
      ),
    ).toBe(false);
  });

  test("one failed build is no evidence against a package", () => {
    const decision = decide([
      { by: "ada", digest: reference },
      { by: "bert", digest: reference },
      { by: "cyd", failure: testsFail },
    ]);
    expect(decision).toMatchObject({ outcome: "reproduced", dissent: [operatorOf("cyd")] });
  });

  test("who built is named when two say that it cannot be built", () => {
    const decision = decide([
      { by: "ada", digest: reference },
      { by: "bert", failure: testsFail },
      { by: "cyd", failure: testsFail },
    ]);
    expect(decision).toMatchObject({ outcome: "failed", dissent: [operatorOf("ada")] });
  });

  test("a closed round without results is inconclusive and says so", () => {
    expect(decide([])).toMatchObject({ outcome: "inconclusive", reason: "no operator revealed a result", inputs: [] });
  });

  test("a target is reproduced only if all its artifacts are", () => {
    const [artifact] = sampleTarget.artifacts;
    if (artifact === undefined) throw new Error("an artifact");
    const missing = { ...artifact, file: "mailgraph-doc_1.14-20_all.deb", sha256: digestOf("documentation") };
    const target = { ...sampleTarget, artifacts: [artifact, missing] };
    const said = [
      { by: "ada", digest: reference },
      { by: "bert", digest: reference },
    ];
    const built = evidenceOf(said);
    const results = built.results.map((logged) => ({ ...logged, result: { ...logged.result, target: targetDigestOf(target) } }));
    const decision = evaluate({ ...built, target, targetDigest: targetDigestOf(target), results }, defaultPolicy);
    // Both claim the reference's digest for the second file too, which is not the second file's.
    expect(decision).toMatchObject({ outcome: "inconclusive", artifacts: [{ outcome: "reproduced" }, { outcome: "inconclusive" }] });
  });
});

describe("when a round is decided", () => {
  const open = { closed: false };

  test("an open round waits for every member, also when two agree", () => {
    const evidence = evidenceOf(
      [
        { by: "ada", digest: reference },
        { by: "bert", digest: reference },
      ],
      open,
    );
    expect(evaluate(evidence, defaultPolicy)).toEqual({ kind: "undecided", waitingFor: [operatorOf("cyd")] });
  });

  test("an open round waits for the stand-ins that were called, and for no others", () => {
    const three = [
      { by: "ada", digest: "1" },
      { by: "bert", digest: "2" },
      { by: "cyd", digest: "3" },
    ];
    const called = evidenceOf(three, { ...open, round: roundOf(["ada", "bert", "cyd"], ["dora", "eve"], 1) });
    expect(evaluate(called, defaultPolicy)).toEqual({ kind: "undecided", waitingFor: [operatorOf("dora")] });
    const uncalled = evidenceOf(three, { ...open, round: roundOf(["ada", "bert", "cyd"], ["dora"], 0) });
    expect(evaluate(uncalled, defaultPolicy)).toMatchObject({ kind: "decided", outcome: "unreproducible" });
  });
});

describe("which results count", () => {
  const two = [
    { by: "ada", digest: reference },
    { by: "bert", digest: reference },
  ];

  test.each([
    [
      "is no member",
      "not-in-committee",
      [
        { by: "ada", digest: reference },
        { by: "dora", digest: reference },
      ],
      {},
    ],
    ["is not enrolled", "not-enrolled", two, { enrolled: enrolledOf({ ada: {} }) }],
    [
      "never committed",
      "not-committed",
      [
        { by: "ada", digest: reference },
        { by: "bert", digest: reference, committedAt: -1 },
      ],
      {},
    ],
    [
      "committed after the first reveal",
      "not-committed",
      [
        { by: "ada", digest: reference, revealedAt: 50 },
        { by: "bert", digest: reference, committedAt: 51 },
      ],
      {},
    ],
    [
      "built in another environment",
      "wrong-environment",
      [
        { by: "ada", digest: reference },
        { by: "bert", digest: reference, environment: "my own" },
      ],
      {},
    ],
  ] as const)("one whose operator %s does not, and is listed as %s", (_, standing, said, changes) => {
    const decision = decide(said, {}, changes);
    expect(decision.outcome).toBe("inconclusive");
    expect(decision.inputs.map((input) => input.standing)).toEqual(["counted", standing]);
    expect(decision.reason).toContain(`1 ${standing}`);
  });

  test("one that was logged after its operator's revocation does not; one logged before does", () => {
    const [ada, bert] = enrolledOf({ ada: {}, bert: {} });
    if (ada === undefined || bert === undefined) throw new Error("two operators");
    const revokedAt = (index: number) => ({ enrolled: new Map([ada, [bert[0], { ...bert[1], revokedAt: index }]]) });
    expect(decide(two, {}, revokedAt(100)).inputs.map(({ standing }) => standing)).toEqual(["counted", "not-enrolled"]);
    expect(decide(two, {}, revokedAt(102)).outcome).toBe("reproduced");
  });

  test("a commitment to another envelope is none", () => {
    const evidence = evidenceOf(two);
    const commitments = evidence.commitments.map((commitment, position) =>
      position === 0 ? commitment : { ...commitment, statement: { ...commitment.statement, envelope: digestOf("another") } },
    );
    expect(evaluate({ ...evidence, commitments }, defaultPolicy)).toMatchObject({
      inputs: [{ standing: "counted" }, { standing: "not-committed" }],
    });
  });

  test("leaving out the first reveal does not make a later commitment count", () => {
    const said = [
      { by: "ada", digest: reference, revealedAt: 50 },
      { by: "bert", digest: reference, committedAt: 51 },
      { by: "cyd", digest: reference, committedAt: 52 },
    ];
    const evidence = evidenceOf(said);
    const without = { ...evidence, results: evidence.results.slice(1) };
    expect(evaluate({ ...without, firstReveal: 50 }, defaultPolicy)).toMatchObject({ outcome: "inconclusive" });
  });

  test("two results of one operator count once, and the repeated one is a duplicate", () => {
    const decision = decide([
      { by: "ada", digest: reference },
      { by: "ada", digest: reference, nonce: 1 },
    ]);
    expect(decision.outcome).toBe("inconclusive");
    expect(decision.inputs.map(({ standing }) => standing)).toEqual(["counted", "duplicate"]);
  });

  test("an operator that says two things counts once for each and dissents from itself", () => {
    const decision = decide([
      { by: "ada", digest: reference },
      { by: "ada", digest: "other", nonce: 1 },
      { by: "bert", digest: reference },
    ]);
    expect(decision).toMatchObject({ outcome: "reproduced", dissent: [operatorOf("ada")] });
  });
});

describe("groups", () => {
  const countOnceBy = ["organisation"] as const;
  const said = ["ada", "bert", "cyd"].map((by) => ({ by, digest: reference }));

  test("two operators of one group count once where the policy says so", () => {
    const enrolled = enrolledOf({ ada: { organisation: "A" }, bert: { organisation: "A" }, cyd: {} });
    expect(decide(said.slice(0, 2), { countOnceBy: [...countOnceBy] }, { enrolled })).toMatchObject({
      outcome: "inconclusive",
      reason: expect.stringContaining("those of one group count once"),
    });
    expect(decide(said, { countOnceBy: [...countOnceBy] }, { enrolled }).outcome).toBe("reproduced");
    expect(decide(said.slice(0, 2), {}, { enrolled }).outcome).toBe("reproduced");
  });

  test("a third operator that ties two independent ones together takes no vote away", () => {
    const enrolled = enrolledOf({
      ada: { organisation: "A", country: "SE" },
      bert: { organisation: "B", country: "FR" },
      cyd: { organisation: "A", country: "FR" },
    });
    const policy = { countOnceBy: ["organisation", "country"] as ("organisation" | "country")[] };
    expect(decide(said.slice(0, 2), policy, { enrolled }).outcome).toBe("reproduced");
    expect(decide(said, policy, { enrolled }).outcome).toBe("reproduced");
    expect(decide(said, { ...policy, threshold: 3 }, { enrolled }).outcome).toBe("inconclusive");
  });

  test("agreement without the diversity that the policy wants is inconclusive, and says what is missing", () => {
    const enrolled = enrolledOf({ ada: { country: "SE" }, bert: { country: "SE" }, cyd: {} });
    const diversity = [{ group: "country" as const, distinct: 2 }];
    expect(decide(said, { diversity }, { enrolled })).toMatchObject({
      outcome: "inconclusive",
      reason: "3 of the 2 operators needed agree on mailgraph_1.14-20_all.deb, but they show 1 of 2 needed values of country",
    });
    const diverse = enrolledOf({ ada: { country: "SE" }, bert: { country: "FR" }, cyd: {} });
    expect(decide(said, { diversity }, { enrolled: diverse }).outcome).toBe("reproduced");
  });

  test("a mismatch is raised without asking for diversity", () => {
    const evil = ["ada", "bert"].map((by) => ({ by, digest: "evil" }));
    expect(decide(evil, { diversity: [{ group: "country", distinct: 2 }] }).outcome).toBe("mismatch");
  });
});

describe("build traces", () => {
  test("equal traces corroborate each other", () => {
    expect(decide(["ada", "bert"].map((by) => ({ by, digest: reference, trace: honest }))).outcome).toBe("reproduced");
  });

  test("traces may differ in as many files as the policy's share leaves", () => {
    const differing = (count: number) => honest.map((content, index) => (index < count ? `later ${content}` : content));
    const traced = (count: number) =>
      decide([
        { by: "ada", digest: reference, trace: honest },
        { by: "bert", digest: reference, trace: differing(count) },
      ]);
    expect(traced(2).outcome).toBe("reproduced");
    expect(traced(3).inputs.map(({ standing }) => standing)).toEqual(["trace-contradicted", "trace-contradicted"]);
  });

  test("one forged trace is contradicted, and the honest two stand", () => {
    const decision = decide([
      { by: "ada", digest: reference, trace: honest },
      { by: "bert", digest: reference, trace: forged },
      { by: "cyd", digest: reference, trace: honest },
    ]);
    expect(decision.outcome).toBe("reproduced");
    expect(decision.inputs.map(({ standing }) => standing)).toEqual(["counted", "trace-contradicted", "counted"]);
  });

  test("a trace with nothing to compare it with does not count, and is not called contradicted", () => {
    const decision = decide([
      { by: "ada", digest: reference, trace: honest },
      { by: "bert", digest: reference },
    ]);
    expect(decision.inputs.map(({ standing }) => standing)).toEqual(["uncorroborated", "counted"]);
  });

  test("a trace that was left out does not pass for a poor one", () => {
    const decision = decide([
      { by: "ada", digest: reference, trace: honest },
      { by: "bert", digest: reference, trace: honest, traceMissing: true },
    ]);
    expect(decision.inputs.map(({ standing }) => standing)).toEqual(["uncorroborated", "uncorroborated"]);
  });

  test("an operator's other result, or one of its group, does not corroborate it", () => {
    const own = [
      { by: "ada", digest: reference, trace: honest },
      { by: "ada", digest: "other", trace: honest, nonce: 1 },
    ];
    expect(decide(own).inputs.map(({ standing }) => standing)).toEqual(["uncorroborated", "uncorroborated"]);
    const group = ["ada", "bert"].map((by) => ({ by, digest: reference, trace: honest }));
    const enrolled = enrolledOf({ ada: { funder: "F" }, bert: { funder: "F" } });
    expect(decide(group, { countOnceBy: ["funder"] }, { enrolled }).inputs.map(({ standing }) => standing)).toEqual([
      "uncorroborated",
      "uncorroborated",
    ]);
  });

  test("one whose result does not count corroborates nobody", () => {
    const decision = decide([
      { by: "ada", digest: reference, trace: honest },
      { by: "bert", digest: reference, trace: honest, committedAt: -1 },
    ]);
    expect(decision.inputs.map(({ standing }) => standing)).toEqual(["uncorroborated", "not-committed"]);
  });

  test("traceless results count only if the policy says so", () => {
    const poor = ["ada", "bert"].map((by) => ({ by, digest: reference, trace: honest.slice(0, 3) }));
    expect(decide(poor).outcome).toBe("reproduced");
    const strict = decide(poor, { trace: { ...defaultPolicy.trace, countTraceless: false } });
    expect(strict.inputs.map(({ standing }) => standing)).toEqual(["traceless", "traceless"]);
  });

  test("where one operator is enough, no second one's trace is asked for", () => {
    expect(decide([{ by: "ada", digest: reference, trace: honest }], { threshold: 1 }).outcome).toBe("reproduced");
  });

  test("a result that is given with its trace and without it has its trace, in either order", () => {
    const evidence = evidenceOf([
      { by: "ada", digest: reference, trace: honest },
      { by: "bert", digest: reference, trace: honest },
    ]);
    const bare = evidence.results.map(({ trace: _left, ...rest }) => rest);
    for (const results of [
      [...evidence.results, ...bare],
      [...bare, ...evidence.results],
    ]) {
      expect(evaluate({ ...evidence, results }, defaultPolicy)).toEqual(evaluate(evidence, defaultPolicy));
      expect(evaluate({ ...evidence, results }, defaultPolicy)).toMatchObject({ outcome: "reproduced" });
    }
  });
});
