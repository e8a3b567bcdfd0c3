import type { JobMessage, ReportMessage } from "@quorate/protocol/job";
import { ParseError } from "@quorate/protocol/parse-error";
import { utf8 } from "@quorate/protocol/utf8";
import { assert, property, uint8Array } from "fast-check";
import { expect, test } from "vitest";
import { formatMessage, jobSubject, liveSubject, parseAddressed, parseMessage, reportSubject } from "./subjects.ts";
import { alice, bob, jobFor, startedReport } from "./network.fixture.ts";

const job: JobMessage = jobFor(alice);
const report: ReportMessage = startedReport(job, alice, 3);

test("a message comes out as it went in", () => {
  expect(parseMessage("job", formatMessage(job))).toEqual(job);
  expect(parseAddressed("report", reportSubject(alice), formatMessage(report))).toEqual({
    operator: alice,
    job: job.job,
    message: report,
  });
});

test("no bytes make a parser do anything but return a message or throw a ParseError", () => {
  assert(
    property(uint8Array({ maxLength: 200 }), (bytes) => {
      for (const kind of ["job", "report", "live", "control"] as const) expect(() => parseMessage(kind, bytes)).toThrow(ParseError);
    }),
  );
});

test("a message with a property too many is refused", () => {
  expect(() => parseMessage("report", utf8(JSON.stringify({ ...report, extra: 1 })))).toThrow(ParseError);
});

test("a message larger than its subject allows is refused unread", () => {
  expect(() => parseMessage("control", new Uint8Array(5000).fill(32))).toThrow(/more than 4096/);
});

test("a report on another operator's subject is refused", () => {
  expect(() => parseAddressed("report", reportSubject(bob), formatMessage(report))).toThrow(ParseError);
});

test("a live message on another job's subject, or below a report's, is refused", () => {
  const live = { job: job.job, round: job.round, operator: alice, phase: "building" } as const;
  expect(parseAddressed("live", liveSubject(alice, job.job), formatMessage(live)).message).toEqual(live);
  expect(() => parseAddressed("live", liveSubject(alice, jobFor(alice, "other").job), formatMessage(live))).toThrow(ParseError);
  expect(() => parseAddressed("report", `${reportSubject(alice)}.${job.job}`, formatMessage(report))).toThrow(ParseError);
});

test("a report about another operator's job is refused", () => {
  const foreign = jobFor(bob);
  const about = { ...report, job: foreign.job };
  expect(() => parseAddressed("report", reportSubject(alice), formatMessage(about))).toThrow(ParseError);
});

test("a report on a live subject is refused", () => {
  expect(() => parseAddressed("report", liveSubject(alice, job.job), formatMessage(report))).toThrow(ParseError);
});

test("an architecture cannot add tokens to a subject", () => {
  expect(jobSubject(alice, "amd64")).toBe(`job.${alice}.amd64`);
  for (const architecture of ["*", ">", "amd64.x", "", " "]) expect(() => jobSubject(alice, architecture)).toThrow(/Debian architecture/);
});
