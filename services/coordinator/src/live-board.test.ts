import { sha256Of } from "@quorate/protocol/digest";
import { jobIdOf } from "@quorate/protocol/job";
import { operatorIdOf } from "@quorate/protocol/operator";
import { utf8 } from "@quorate/protocol/utf8";
import { expect, test } from "vitest";
import { createLiveBoard } from "./live-board.ts";

const [ada, bert] = [operatorIdOf(utf8("ada")), operatorIdOf(utf8("bert"))];
const now = new Date("2026-11-23T08:00:00Z");

function messageOf(operator: typeof ada, name: string) {
  const round = sha256Of(utf8(name));
  return { job: jobIdOf(round, operator), round, operator, phase: "building" as const, logLines: [] };
}

test("a job that waits behind another of its operator is not silent while that one is built", () => {
  const board = createLiveBoard();
  const [built, waiting] = [messageOf(ada, "built"), messageOf(ada, "waiting")];
  board.note(built, now);
  expect(board.lastSign(waiting)).toEqual(now);
  expect(board.lastSign(messageOf(bert, "waiting"))).toBeUndefined();
});

test("a job that has started is silent when nothing is heard of it, whatever else its operator does", () => {
  const board = createLiveBoard();
  board.note(messageOf(ada, "built"), now);
  expect(board.lastSign({ ...messageOf(ada, "silent"), startedAt: now })).toBeUndefined();
});

test("the jobs heard of last are remembered", () => {
  const board = createLiveBoard(2);
  const messages = ["first", "second", "third"].map((name) => messageOf(ada, name));
  for (const message of messages) board.note(message, now);
  expect(messages.map(({ job }) => board.get(job)?.phase)).toEqual([undefined, "building", "building"]);
});
