import { statsSchema } from "@quorate/protocol/artifact-view";
import { type NetworkView, networkViewSchema } from "@quorate/protocol/submission";
import { operatorIdSchema } from "@quorate/protocol/operator";
import { operatorRecordSchema } from "@quorate/protocol/operator-record";
import type { HttpApp } from "@quorate/service/http-app";
import { z } from "zod";
import type { Queries } from "../database.ts";
import { loadOperatorRecord } from "../store/operator-records.ts";
import { countOperators, loadOperators } from "../store/operators.ts";
import { loadPolicyInForce } from "../store/policies.ts";
import { countRounds } from "../store/rounds.ts";
import { countVerdicts } from "../store/verdicts.ts";

/** What does not change while the coordinator runs. */
export type NetworkIdentity = Omit<NetworkView, "operators" | "policy" | "policyDigest">;

type Dependencies = { db: Queries; identity: NetworkIdentity; readLogSize: () => Promise<number> };

export function addNetworkRoutes(app: HttpApp, { db, identity, readLogSize }: Dependencies): void {
  app.get(
    "/v1/network",
    {
      schema: {
        summary: "What a client checks everything else with: keys, log, witnesses and policy",
        response: { 200: networkViewSchema },
      },
    },
    async () => {
      const enrolled = [...(await loadOperators(db)).values()];
      const { policy, digest: policyDigest } = await loadPolicyInForce(db);
      const present = enrolled.filter(({ revokedAt }) => revokedAt === undefined);
      const operators = present.map(({ enrolment: { operator, name, identityKey } }) => ({ operator, name, identityKey }));
      return { ...identity, policy, policyDigest, operators };
    },
  );

  app.get(
    "/v1/operators/:operator/record",
    {
      schema: {
        summary: "What an operator did so far",
        params: z.object({ operator: operatorIdSchema }),
        response: { 200: operatorRecordSchema },
      },
    },
    async ({ params }) => loadOperatorRecord(db, params.operator),
  );

  app.get(
    "/v1/stats",
    { schema: { summary: "Operators, rounds, verdicts and entries, counted", response: { 200: statsSchema } } },
    async () => {
      const [operators, rounds, verdicts, logSize] = await Promise.all([
        countOperators(db),
        countRounds(db),
        countVerdicts(db),
        readLogSize(),
      ]);
      return { operators, rounds, verdicts, logSize };
    },
  );
}
