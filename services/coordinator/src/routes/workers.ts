import { workerCredentialsSchema, workerDismissedSchema, workerRequestSchema, workerViewSchema } from "@quorate/protocol/worker";
import type { HttpApp } from "@quorate/service/http-app";
import { z } from "zod";
import type { Queries } from "../database.ts";
import type { WorkerRegistry } from "../register-worker.ts";
import { loadWorkers, workerViewOf } from "../store/workers.ts";

type Dependencies = { db: Queries; workerRegistry: WorkerRegistry; now: () => Date };

/** `/v1/workers`: what operators build with. What an operator signs is all the authority that there is. */
export function addWorkerRoutes(app: HttpApp, { db, workerRegistry, now }: Dependencies): void {
  app.post(
    "/v1/workers",
    {
      bodyLimit: 30_000,
      schema: {
        summary: "A worker's registration or dismissal, signed by its operator",
        body: workerRequestSchema,
        response: { 200: z.union([workerCredentialsSchema, workerDismissedSchema]) },
      },
    },
    async ({ body }) => workerRegistry.take(body.envelope),
  );

  app.get(
    "/v1/workers",
    { schema: { summary: "Workers, without addresses", response: { 200: z.object({ workers: z.array(workerViewSchema) }) } } },
    async () => {
      const at = now();
      return { workers: (await loadWorkers(db)).map((worker) => workerViewOf(worker, at)) };
    },
  );
}
