import { operatorIdOf } from "@quorate/protocol/operator";
import { utf8 } from "@quorate/protocol/utf8";
import { expect, it } from "vitest";
import { digest, roundOf, submissionOf, verdictOf } from "./progress/submission.fixture.ts";
import { isReproduced, verdictLines } from "./verdict-lines.ts";

it("says who got which digest, and who dissents", () => {
  const round = roundOf({ state: "settled", verdict: verdictOf("reproduced"), verdictIndex: 14 });
  expect(verdictLines(submissionOf(round))).toEqual([
    "debian/bookworm mailgraph 1.14-19 (all): reproduced (log entry 14)",
    "  mailgraph_1.14-19_all.deb: reproduced",
    `    published    ${digest("published")}`,
    `    rebuilt    = ${digest("published")}  alder, birch`,
    `    rebuilt    ≠ ${digest("another")}  cedar`,
    "  dissenting: cedar",
  ]);
});

it("names the command that shows how a contradicted trace differs, beside a result that counts", () => {
  const [cedar, alder] = [operatorIdOf(utf8("cedar")), operatorIdOf(utf8("alder"))];
  const inputs = [
    { index: 11, envelope: digest("cedar's"), operator: cedar, standing: "trace-contradicted" as const },
    { index: 13, envelope: digest("alder's"), operator: alder, standing: "counted" as const },
  ];
  const verdict = { ...verdictOf("reproduced"), inputs };
  expect(verdictLines(submissionOf(roundOf({ state: "settled", verdict, verdictIndex: 14 }))).slice(-2)).toEqual([
    "  not counted: cedar (its build trace contradicts the others')",
    "  how its trace differs: quorate trace diff 11 13",
  ]);
});

it("calls a submission reproduced only if every target of it is", () => {
  const reproduced = roundOf({ verdict: verdictOf("reproduced") });
  expect(isReproduced(submissionOf(reproduced, reproduced))).toBe(true);
  expect(isReproduced(submissionOf(reproduced, roundOf({ verdict: verdictOf("mismatch") })))).toBe(false);
  expect(isReproduced(submissionOf(reproduced, roundOf()))).toBe(false);
  expect(isReproduced(submissionOf())).toBe(false);
});
