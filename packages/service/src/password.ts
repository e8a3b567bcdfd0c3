import basicAuth from "@fastify/basic-auth";
import type { FastifyRequest } from "fastify";
import { tokenMatcher } from "./bearer.ts";
import type { HttpApp } from "./http-app.ts";
import { ProblemError } from "./problem.ts";

/**
 * Asks for a password by HTTP's Basic scheme (RFC 7617), as browsers and curl do by themselves. The routes that `onRequest` stands at are for
 * whoever has it; `nameOf` says how they call themselves, which proves nothing.
 */
export async function addPassword(app: HttpApp, { realm, password, hint }: { realm: string; password: string; hint: string }) {
  const matches = tokenMatcher(password);
  const names = new WeakMap<FastifyRequest, string>();
  await app.register(basicAuth, {
    authenticate: { realm },
    async validate(name, given, request) {
      if (!matches(given)) throw new ProblemError(401, "unauthorized", hint);
      names.set(request, name);
    },
  });
  return { onRequest: app.basicAuth, nameOf: (request: FastifyRequest): string => names.get(request) ?? "" };
}
