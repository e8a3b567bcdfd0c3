import { ParseError } from "@quorate/protocol/parse-error";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cosign } from "./cosignature.ts";
import { cosigned, testLog, testWitnesses } from "./cosigned.fixture.ts";
import { leafHash } from "./merkle.ts";
import { formatNote, formatVkey, parseNote } from "./note.ts";
import { testSigner } from "./signer.fixture.ts";
import { type WitnessPolicy, evaluateWitnessQuorum, formatTlogPolicy, parseTlogPolicy, verifyCosignedCheckpoint } from "./tlog-policy.ts";
import { verifyEd25519Portable } from "./portable-ed25519.ts";

const vkeys = testWitnesses.map(({ key }) => formatVkey(key));
const logLine = `log ${formatVkey(testLog.key)} https://log.example/`;
const witnessLines = vkeys.map((vkey, index) => `witness w${index} ${vkey}`);
const policyOf = (...lines: string[]): WitnessPolicy => parseTlogPolicy(`${[logLine, ...witnessLines, ...lines].join("\n")}\n`);
const twoOfThree = policyOf("group three 2 w0 w1 w2", "quorum three");
const root = leafHash(new Uint8Array(1));

describe("a witness policy", () => {
  test("is read with comments, blank lines, tabs and URLs", () => {
    const text = `# trust\n\n \t${logLine} \n\t# more\nwitness\tw0  ${vkeys[0]} https://w.example\nquorum w0\n`;
    expect(parseTlogPolicy(text)).toEqual({
      logs: [{ key: testLog.key, url: "https://log.example/" }],
      witnesses: [{ name: "w0", key: testWitnesses[0]?.key, url: "https://w.example" }],
      groups: [],
      quorum: "w0",
    });
  });

  test("without logs and witnesses needs a quorum of none", () => {
    expect(parseTlogPolicy("quorum none\n")).toEqual({ logs: [], witnesses: [], groups: [], quorum: "none" });
  });

  test("of any groups is read back", () => {
    const groups = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 2 })).map(([first, second]) => [
      { name: "Kelvin-K", threshold: first, members: ["w0", "w1", "w2"] },
      { name: "Kelvin-\u212A", threshold: second, members: ["w3", "Kelvin-K"] },
    ]);
    fc.assert(
      fc.property(groups, fc.constantFrom("none", "w1", "Kelvin-K", "Kelvin-\u212A"), (defined, quorum) => {
        const policy = { ...twoOfThree, groups: defined, quorum };
        expect(parseTlogPolicy(formatTlogPolicy(policy))).toEqual(policy);
      }),
    );
  });

  test.each([
    ["no quorum", [], "with a quorum line"],
    ["two quorums", ["quorum none", "quorum none"], "a second quorum"],
    ["a quorum that is not defined", ["quorum w9"], "w9 is not defined"],
    ["a quorum that is defined later", ["quorum g", "group g any w0"], "g is not defined"],
    ["a group of none", ["group g any none", "quorum g"], "none is not defined"],
    ["a group of itself", ["group g any g", "quorum g"], "g is not defined"],
    ["a group without members", ["group g any", "quorum g"], "at least one member"],
    ["a member twice in a group", ["group g 2 w0 w0", "quorum g"], "w0 is a member twice"],
    ["a member of two groups", ["group g any w0", "group h any w0", "quorum h"], "w0 is a member twice"],
    ["a name twice", ["group w0 any w1", "quorum none"], '\\"w0\\" is taken'],
    ["a group named none", ["group none any w1", "quorum none"], '\\"none\\" is taken'],
    ["a threshold of 0", ["group g 0 w0", "quorum g"], "a threshold of 0"],
    ["a threshold above the members", ["group g 2 w0", "quorum g"], "a threshold of 2"],
    ["a threshold with a leading zero", ["group g 01 w0", "quorum g"], "threshold"],
    ["an unknown word", ["Quorum none"], "starts with none of"],
    ["a carriage return", ["quorum none\r"], "control character"],
    ["a delete character", ["# \u007f", "quorum none"], "control character"],
    ["a log twice", [logLine, "quorum none"], "its public key is on a line before"],
    ["a witness's key under two names", [`witness again ${vkeys[0]}`, "quorum none"], "its public key is on a line before"],
    ["a witness key for a log", [`log ${vkeys[0]}`, "quorum none"], "must be of type Ed25519 (0x01) or ML-DSA-44 (0x06)"],
    ["a log key for a witness", [`witness w9 ${formatVkey(testSigner("x", 9).key)}`, "quorum none"], "(0x04)"],
    ["too much on a line", ["quorum none w0"], "more than a name"],
  ])("with %s is refused", (_, lines, reason) => {
    expect(() => policyOf(...lines)).toThrow(ParseError);
    expect(() => policyOf(...lines)).toThrow(reason.replaceAll("\\", ""));
  });

  test("whose last line has no newline is refused", () => {
    expect(() => parseTlogPolicy("quorum none")).toThrow("every line ends in a newline");
  });

  test("is not written with a name that would be read as another", () => {
    expect(() => formatTlogPolicy({ ...twoOfThree, groups: [{ name: "a b", threshold: 1, members: ["w0"] }] })).toThrow(ParseError);
  });

  test("of 32 logs, 32 witnesses and 32 groups is accepted", () => {
    const lines = Array.from({ length: 32 }, (_, index) => [
      `log ${formatVkey(testSigner(`log${index}`, 100 + index).key)}`,
      `witness w${index} ${formatVkey(testSigner(`w${index}`, 100 + index, "cosignature").key)}`,
      `group g${index} all w${index}`,
    ]);
    expect(parseTlogPolicy(`${lines.flat().join("\n")}\nquorum none\n`).groups).toHaveLength(32);
  });
});

describe("a quorum of witnesses", () => {
  const satisfied = (policy: WitnessPolicy, who: readonly number[]) =>
    evaluateWitnessQuorum(
      policy,
      parseNote(
        cosigned(
          { size: 1, root },
          testWitnesses.filter((_, index) => who.includes(index)),
        ),
      ),
      verifyEd25519Portable,
    ).satisfied;

  test("of nested groups is reached as an independent count says, for every set of witnesses", () => {
    const policies: [WitnessPolicy, (w: readonly boolean[]) => boolean][] = [
      [policyOf("quorum none"), () => true],
      [policyOf("quorum w2"), ([, , c]) => c === true],
      [twoOfThree, ([a, b, c]) => Number(a) + Number(b) + Number(c) >= 2],
      [policyOf("group g any w0 w1", "group h all w2 g", "quorum h"), ([a, b, c]) => Boolean(c && (a || b))],
      [policyOf("group g all w0 w1", "group h 2 w2 w3 g", "quorum h"), ([a, b, c, d]) => Number(a && b) + Number(c) + Number(d) >= 2],
    ];
    for (const [policy, expected] of policies) {
      for (let set = 0; set < 16; set += 1) {
        const present = [0, 1, 2, 3].map((index) => ((set >> index) & 1) === 1);
        const who = [0, 1, 2, 3].filter((index) => present[index]);
        expect([who, satisfied(policy, who)]).toEqual([who, expected(present)]);
      }
    }
  });

  test("counts a witness that cosigned twice once, at its newest time", () => {
    const { text, signatures } = parseNote(cosigned({ size: 1, root }, testWitnesses.slice(0, 1)));
    const [first] = testWitnesses;
    const again = first ? [cosign({ text, time: 3000, signer: first }), cosign({ text, time: 2000, signer: first })] : [];
    const evaluation = evaluateWitnessQuorum(twoOfThree, { text, signatures: [...signatures, ...again] }, verifyEd25519Portable);
    expect(evaluation).toEqual({ satisfied: false, witnesses: [{ name: "w0", time: 3000 }] });
  });

  test("is monotonic: a cosignature less never makes a quorum", () => {
    fc.assert(
      fc.property(fc.subarray([0, 1, 2, 3]), fc.nat(3), (who, without) => {
        const less = who.filter((index) => index !== without);
        expect(satisfied(twoOfThree, who) || !satisfied(twoOfThree, less)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });
});

describe("a cosigned checkpoint", () => {
  test("is returned with its witnesses when log and quorum signed", () => {
    const { checkpoint, witnesses } = verifyCosignedCheckpoint(
      cosigned({ size: 7, root }, testWitnesses.slice(0, 2)),
      twoOfThree,
      verifyEd25519Portable,
    );
    expect(checkpoint).toEqual({ origin: "log.example", size: 7, root });
    expect(witnesses).toEqual([
      { name: "w0", time: 1000 },
      { name: "w1", time: 1000 },
    ]);
  });

  test("is refused below the quorum, naming who cosigned", () => {
    expect(() =>
      verifyCosignedCheckpoint(cosigned({ size: 7, root }, testWitnesses.slice(0, 1)), twoOfThree, verifyEd25519Portable),
    ).toThrow('cosigned by w0, which is not the quorum "three"');
  });

  test("is refused without the log's signature, however many witnesses cosigned", () => {
    const { text, signatures } = parseNote(cosigned({ size: 7, root }, testWitnesses));
    expect(() => verifyCosignedCheckpoint(formatNote(text, signatures.slice(1)), twoOfThree, verifyEd25519Portable)).toThrow(
      "no signature by a known key",
    );
    const other = { ...twoOfThree, logs: [{ key: testSigner("other.example", 1).key }] };
    expect(() => verifyCosignedCheckpoint(formatNote(text, signatures), other, verifyEd25519Portable)).toThrow(
      "no known log (known: other.example)",
    );
    expect(() => verifyCosignedCheckpoint(formatNote(text, signatures), { ...twoOfThree, logs: [] }, verifyEd25519Portable)).toThrow(
      "known: none",
    );
  });

  test("is refused when a cosignature is for another size", () => {
    const { text, signatures } = parseNote(cosigned({ size: 7, root }, testWitnesses));
    const grown = text.replace("\n7\n", "\n8\n");
    const resigned = [{ ...testLog.key, signature: testLog.sign(new TextEncoder().encode(grown)) }, ...signatures.slice(1)];
    expect(() => verifyCosignedCheckpoint(formatNote(grown, resigned), twoOfThree, verifyEd25519Portable)).toThrow(
      "the signature by w2.example at 1000 is wrong",
    );
  });
});
