import { expect, test } from "vitest";
import { createUploadTickets } from "./upload-ticket.ts";

const job = `${"a".repeat(32)}-${"b".repeat(32)}`;
const tickets = createUploadTickets(new Uint8Array(32));

test("a ticket names the job that it was issued for, and is the same each time", () => {
  expect(tickets.verify(tickets.issue(job))).toBe(job);
  expect(tickets.issue(job)).toBe(tickets.issue(job));
});

test("a ticket for another job, of another network, or altered is none", () => {
  const ticket = tickets.issue(job);
  const other = `${"c".repeat(32)}-${"b".repeat(32)}`;
  expect(tickets.verify(ticket.replace(job, other))).toBeUndefined();
  expect(createUploadTickets(new Uint8Array(32).fill(1)).verify(ticket)).toBeUndefined();
  for (const text of ["", job, `${ticket}A`, ticket.slice(0, -1), `${ticket.slice(0, -2)}__`]) expect(tickets.verify(text)).toBeUndefined();
});
