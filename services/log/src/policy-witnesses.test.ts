import { join } from "node:path";
import { silentLogger } from "@quorate/service/logger";
import { Metrics } from "@quorate/service/metrics";
import { createNoteKey } from "@quorate/signing/note-key";
import { formatVkey } from "@quorate/tlog/note";
import { parseTlogPolicy } from "@quorate/tlog/tlog-policy";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createLogEvents } from "./events.ts";
import { policyWitnesses } from "./policy-witnesses.ts";
import { scratchDirectory } from "./scratch-directory.fixture.ts";

let scratch: Awaited<ReturnType<typeof scratchDirectory>>;
let vkeys: string[];
beforeAll(async () => {
  scratch = await scratchDirectory();
  const signers = ["a", "b", "c"].map((name) => createNoteKey(join(scratch.path, name), `witness.example/${name}`, "cosignature"));
  vkeys = signers.map(({ key }) => formatVkey(key));
});
afterAll(() => scratch[Symbol.asyncDispose]());

function ask(lines: string, { own = true } = {}): string[] {
  const { key } = createNoteKey(join(scratch.path, `log-${Math.random()}`), "log.example", "ed25519");
  const policy = parseTlogPolicy(`${own ? `log ${formatVkey(key)}\n` : ""}${lines}\n`);
  return policyWitnesses(policy, key, createLogEvents(silentLogger, new Metrics())).map(({ name }) => name);
}

test("asks the witnesses that have a URL, when they can be the quorum", () => {
  const lines = `witness a ${vkeys[0]} https://a.example/prefix/\nwitness b ${vkeys[1]}\nwitness c ${vkeys[2]} http://127.0.0.1:1\ngroup g 2 a b c`;
  expect(ask(`${lines}\nquorum g`)).toEqual(["a", "c"]);
  expect(() => ask(`${lines}\nquorum b`)).toThrow('the witness policy\'s quorum "b" cannot be reached by witnesses that have a URL');
  expect(ask("quorum none")).toEqual([]);
});

test.each(["ftp://a.example", "a.example", "https://user@a.example/", "https://a.example/?x=1", "https://a.example/#x"])(
  "refuses to ask a witness at %s",
  (url) => {
    expect(() => ask(`witness a ${vkeys[0]} ${url}\nquorum a`)).toThrow(`the witness policy's URL of a is ${url}`);
  },
);

test("refuses a policy of another log", () => {
  expect(() => ask("quorum none", { own: false })).toThrow("the witness policy has no line for this log's key; add: log log.example+");
});
