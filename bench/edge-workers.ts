import { createPrivateKey, randomBytes } from "node:crypto";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { connectWorkerBus, type WorkerBus } from "@quorate/bus/worker-bus";
import { sha256Of } from "@quorate/protocol/digest";
import { operatorIdSchema } from "@quorate/protocol/operator";
import { textOf } from "@quorate/protocol/utf8";
import { signStatement } from "@quorate/signing/envelope";
import { type P256Signer, p256SignerOf } from "@quorate/signing/p256-key";
import { z } from "zod";

/** What the edge bench writes to the standard input of this program: workers whose builds last as long as the job's upload ticket says. */
const ordersSchema = z.object({
  url: z.string(),
  /** Each takes one job, stays connected, and is not heard of again. */
  isSilent: z.boolean(),
  workers: z.array(z.object({ operator: operatorIdSchema, key: z.string(), jwt: z.string(), seed: z.string() })),
});

const never = new AbortController().signal;
const { url, isSilent, workers } = parseOrders(await text(process.stdin));
const connected: { bus: WorkerBus; signer: P256Signer }[] = [];
for (let at = 0; at < workers.length; at += 20) {
  const some = workers.slice(at, at + 20).map(async ({ operator, key, jwt, seed }) => {
    const bus = await connectWorkerBus({ urls: [url], jwt: () => jwt, userSeed: seed, operator });
    connected.push({ bus, signer: p256SignerOf(createPrivateKey(key)) });
  });
  await Promise.all(some);
}
process.stdout.write("connected\n");
await Promise.all(connected.map(({ bus, signer }) => doJobs(bus, signer)));

/** Says nothing of what the orders are: they hold keys, and Node prints the text that an uncaught SyntaxError was found in. */
function parseOrders(orders: string): z.infer<typeof ordersSchema> {
  try {
    return ordersSchema.parse(JSON.parse(orders));
  } catch {
    throw new Error(
      `reading the orders of workers: ${orders.length} characters that are no orders; did the bench end while it wrote them?`,
    );
  }
}

async function doJobs(bus: WorkerBus, signer: P256Signer): Promise<void> {
  for (;;) {
    const job = await bus.nextJob(never);
    if (!job) return;
    if (isSilent) return void process.stdout.write("taken\n");
    await sleep(Number(job.message.uploadTicket));
    const { fence } = job;
    const { job: id, round } = job.message;
    const { operator } = signer;
    // Another build has another nonce, and so another envelope.
    const commitment = { round, operator, fence, envelope: sha256Of(randomBytes(16)) };
    const envelope = textOf(signStatement({ kind: "commitment", commitment }, [signer]));
    await bus.report({ kind: "commitment", job: id, round, operator, fence, envelope }, never);
    await job.ack();
  }
}
