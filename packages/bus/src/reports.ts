import type { ReportMessage } from "@quorate/protocol/job";
import type { OperatorId } from "@quorate/protocol/operator";
import type { JsMsg } from "nats";
import { backoffMilliseconds } from "./backoff.ts";
import { leaseSeconds } from "./streams.ts";
import { parseAddressed } from "./subjects.ts";

/** Does what a report asks for. The report is acknowledged after the promise resolves, and comes again after a while when it rejects. */
export type ReportHandler = (report: ReportMessage, meta: { operator: OperatorId; job: string; deliveries: number }) => Promise<void>;

export type ReportEvents = {
  /** A report that is not one was thrown away; `total` counts them since the start. */
  malformedReport?(subject: string, error: unknown, total: number): void;
  /** The handler failed; the report comes again after the pause. */
  reportFailed?(subject: string, error: unknown, deliveries: number, pauseMilliseconds: number): void;
};

type Addressed = ReturnType<typeof parseAddressed<"report">>;

/** Hands reports to the handler: those of one job one after the other in order of arrival, different jobs at the same time. */
export function createReportDispatcher(
  handler: ReportHandler,
  events: ReportEvents,
): { dispatch(message: JsMsg): void; idle(): Promise<void> } {
  const tails = new Map<string, Promise<void>>();
  let malformed = 0;

  const parseOrDrop = (message: JsMsg): Addressed | undefined => {
    try {
      return parseAddressed("report", message.subject, message.data);
    } catch (error) {
      // It will not be better next time, and in a work queue only an acknowledgement removes it.
      events.malformedReport?.(message.subject, error, ++malformed);
      message.ack();
      return undefined;
    }
  };

  const handle = async (message: JsMsg, { message: report, operator, job }: Addressed): Promise<void> => {
    const deliveries = message.info.deliveryCount;
    try {
      await handler(report, { operator, job, deliveries });
      message.ack();
    } catch (error) {
      const milliseconds = backoffMilliseconds(deliveries);
      events.reportFailed?.(message.subject, error, deliveries, milliseconds);
      giveBack(message, milliseconds);
    }
  };

  const handleAfter = async (before: Promise<void> | undefined, message: JsMsg, addressed: Addressed): Promise<void> => {
    const stillWorking = setInterval(() => message.working(), (leaseSeconds * 1000) / 3);
    await before;
    await handle(message, addressed);
    clearInterval(stillWorking);
  };

  const dispatch = (message: JsMsg): void => {
    const addressed = parseOrDrop(message);
    if (!addressed) return;
    const { job } = addressed;
    const tail = handleAfter(tails.get(job), message, addressed);
    tails.set(job, tail);
    void (async () => {
      await tail;
      if (tails.get(job) === tail) tails.delete(job);
    })();
  };

  return { dispatch, idle: async () => void (await Promise.all(tails.values())) };
}

function giveBack(message: JsMsg, milliseconds: number): void {
  try {
    message.nak(milliseconds);
  } catch {
    // The connection is closed for good: the server delivers the report again after its ack-wait.
  }
}
