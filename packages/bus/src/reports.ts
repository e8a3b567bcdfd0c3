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

/** Hands reports to the handler: those of one job one after the other in order of arrival, different jobs at the same time. */
export function createReportDispatcher(
  handler: ReportHandler,
  events: ReportEvents,
): { dispatch(message: JsMsg): void; idle(): Promise<void> } {
  const tails = new Map<string, Promise<void>>();
  let malformed = 0;

  const handle = async (message: JsMsg): Promise<void> => {
    const deliveries = message.info.deliveryCount;
    try {
      const addressed = parseOrDrop(message);
      if (addressed) await handler(addressed.message, { operator: addressed.operator, job: addressed.job, deliveries });
      message.ack();
    } catch (error) {
      const milliseconds = backoffMilliseconds(deliveries);
      events.reportFailed?.(message.subject, error, deliveries, milliseconds);
      giveBack(message, milliseconds);
    }
  };

  const parseOrDrop = (message: JsMsg): ReturnType<typeof parseAddressed<"report">> | undefined => {
    try {
      return parseAddressed("report", message.subject, message.data);
    } catch (error) {
      // It will not be better next time, and in a work queue only an acknowledgement removes it.
      events.malformedReport?.(message.subject, error, ++malformed);
      return undefined;
    }
  };

  const handleAfter = async (before: Promise<void> | undefined, message: JsMsg): Promise<void> => {
    const stillWorking = setInterval(() => message.working(), (leaseSeconds * 1000) / 3);
    await before;
    await handle(message);
    clearInterval(stillWorking);
  };

  const dispatch = (message: JsMsg): void => {
    const tail = handleAfter(tails.get(message.subject), message);
    tails.set(message.subject, tail);
    void (async () => {
      await tail;
      if (tails.get(message.subject) === tail) tails.delete(message.subject);
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
