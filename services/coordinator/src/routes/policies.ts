import { policyListSchema, policyVersionSchema, publishPolicySchema } from "@quorate/protocol/policy";
import type { HttpApp } from "@quorate/service/http-app";
import type { Queries } from "../database.ts";
import type { PublishPolicy } from "../network-policy.ts";
import { loadPolicyVersions } from "../store/policies.ts";

/** `/v1/policies`: every version of the network's policy. Whoever has the network's key publishes the next. */
export function addPolicyRoutes(app: HttpApp, { db, publishPolicy }: { db: Queries; publishPolicy: PublishPolicy }): void {
  app.get(
    "/v1/policies",
    { schema: { summary: "Every version of the network's policy, newest first", response: { 200: policyListSchema } } },
    async () => ({ policies: await loadPolicyVersions(db) }),
  );

  app.post(
    "/v1/policies",
    {
      bodyLimit: 100_000,
      schema: {
        summary: "The next version of the policy, signed with the network's key",
        body: publishPolicySchema,
        response: { 200: policyVersionSchema },
      },
    },
    async ({ body }) => publishPolicy(body.envelope),
  );
}
