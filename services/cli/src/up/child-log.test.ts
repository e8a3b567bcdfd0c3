import { expect, it } from "vitest";
import { complaintOf } from "./child-log.ts";

it("shows a service's last words without the rest of their line", () => {
  const text = '{"level":30,"msg":"starting"}\n{"level":60,"err":{"stack":"Error: …"},"msg":"opening x: no such file"}\n';
  expect(complaintOf(text, "/data/logs/log.log")).toBe(": opening x: no such file (its log: /data/logs/log.log)");
});

it("shows the end of any other log as it is", () => {
  expect(complaintOf("[1] 4 is no word\n", "/l")).toBe("; the end of its log /l:\n  [1] 4 is no word");
  expect(complaintOf('{"level":30,"msg":"listening"}\n', "/l")).toContain('\n  {"level":30,"msg":"listening"}');
  expect(complaintOf("", "/l")).toBeUndefined();
});
