import { enrolmentAnswerSchema, enrolmentRequestSchema } from "@quorate/protocol/submission";
import type { HttpApp } from "@quorate/service/http-app";
import type { Enrol } from "../enrol.ts";
import { bearerTokenOf, sameToken, unauthorized } from "./bearer-token.ts";

const hint = "ask whoever runs this network for an invitation";

/** `POST /v1/operators`: joins, or joins again after the transport credentials have expired. */
export function addOperatorRoutes(app: HttpApp, { enrol, invitationToken }: { enrol: Enrol; invitationToken: string }): void {
  app.post(
    "/v1/operators",
    {
      bodyLimit: 200_000,
      schema: { body: enrolmentRequestSchema, response: { 200: enrolmentAnswerSchema } },
      // Before the body is read: a stranger's is not looked at.
      onRequest: async ({ headers }) => {
        if (!sameToken(bearerTokenOf(headers, hint), invitationToken)) throw unauthorized(`this invitation is not valid; ${hint}`);
      },
    },
    async (request) => enrol(request.body),
  );
}
