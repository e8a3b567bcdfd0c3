import { sha256Schema } from "@quorate/protocol/digest";
import { roundStates, roundViewSchema } from "@quorate/protocol/submission";
import { targetSchema } from "@quorate/protocol/target";
import type { HttpApp } from "@quorate/service/http-app";
import { ProblemError } from "@quorate/service/problem";
import { z } from "zod";
import type { Queries } from "../database.ts";
import { loadRounds } from "../store/rounds.ts";
import { findTarget } from "../store/targets.ts";
import type { Views } from "../views.ts";

const querySchema = z.object({ limit: z.coerce.number().int().min(1).max(200).default(50), state: z.enum(roundStates).optional() });

export function addRoundRoutes(app: HttpApp, { db, views }: { db: Queries; views: Views }): void {
  app.get(
    "/v1/rounds",
    {
      schema: {
        summary: "Rounds, newest first",
        querystring: querySchema,
        response: { 200: z.object({ rounds: z.array(roundViewSchema) }) },
      },
    },
    async (request) => ({ rounds: await views.rounds(await loadRounds(db, request.query)) }),
  );

  app.get(
    "/v1/rounds/:id",
    {
      schema: { summary: "A round and what its operators do", params: z.object({ id: sha256Schema }), response: { 200: roundViewSchema } },
    },
    async ({ params }) => (await views.round(params.id)) ?? refuseUnknownRound(params.id),
  );

  app.get(
    "/v1/targets/:digest",
    { schema: { summary: "A target", params: z.object({ digest: sha256Schema }), response: { 200: targetSchema } } },
    async (request, reply) => {
      const found = await findTarget(db, request.params.digest);
      if (!found) throw new ProblemError(404, "not-found", `there is no target ${request.params.digest}; a round names its target`);
      return reply.header("cache-control", "public, max-age=31536000, immutable").send(found.target);
    },
  );
}

export function refuseUnknownRound(id: string): never {
  throw new ProblemError(404, "not-found", `there is no round ${id}; GET /v1/rounds lists them`);
}
