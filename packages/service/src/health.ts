import type { FastifyInstance } from "fastify";
import { ProblemError } from "./problem.ts";

/** What must work for the service to do its work, by name; each resolves when it does. */
export type ReadinessChecks = Readonly<Record<string, () => Promise<unknown>>>;

const checkMilliseconds = 2_000;
const unlimited = { config: { rateLimit: false as const } };

type Router = Pick<FastifyInstance, "get">;

/** `GET /health/live`: the process answers. `GET /health/ready`: all checks pass, or 503 naming those that do not. */
export function addHealthRoutes(app: Router, checks: ReadinessChecks): void {
  app.get("/health/live", unlimited, async () => ({ status: "live" }));
  app.get("/health/ready", unlimited, async () => {
    const failures = (await Promise.all(Object.entries(checks).map(failureOf))).filter((failure) => failure !== undefined);
    if (failures.length === 0) return { status: "ready" };
    throw new ProblemError(503, "not-ready", failures.join("; "), { headers: { "retry-after": "1" } });
  });
}

async function failureOf([name, check]: [string, () => Promise<unknown>]): Promise<string | undefined> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no answer within ${checkMilliseconds} ms`)), checkMilliseconds);
  try {
    await Promise.race([check(), late]);
    return undefined;
  } catch (error) {
    return `${name}: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    clearTimeout(timer);
  }
}
