import swagger, { type SwaggerTransform } from "@fastify/swagger";
import { jsonSchemaTransform } from "fastify-type-provider-zod";
import type { HttpApp } from "./http-app.ts";
import { problemMediaType } from "./problem.ts";

/**
 * Describes the routes below `/v1/` that are added from now on, by the schemas that they check with, and serves that as `GET /v1/openapi.json`
 * (OpenAPI 3.1).
 */
export async function describeApi(app: HttpApp, info: { title: string; description: string }): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: { ...info, version: "1" },
      components: { schemas: { Problem: problemJsonSchema }, securitySchemes: { token: { type: "http", scheme: "bearer" } } },
    },
    transform,
  });
  app.get("/v1/openapi.json", { schema: { summary: "This description", produces: ["application/json"] } }, async (_request, reply) =>
    reply.type("application/json; charset=utf-8").header("cache-control", "public, max-age=3600").send(JSON.stringify(app.swagger())),
  );
}

/** RFC 9457. */
const problemJsonSchema = {
  type: "object" as const,
  required: ["type", "title", "status", "detail"],
  properties: {
    type: {
      type: "string" as const,
      format: "uri",
      description: "stable: programs decide on it",
      examples: ["https://quorate.dev/problems/not-found"],
    },
    title: { type: "string" as const },
    status: { type: "integer" as const },
    detail: { type: "string" as const, description: "what was wrong with what, and what to do next" },
  },
};

const problemResponse = {
  description: "What was wrong, and what to do next",
  content: { [problemMediaType]: { schema: { $ref: "#/components/schemas/Problem" } } },
};

/** Routes outside `/v1/` are other people's formats, or for whoever runs the service. */
const transform: SwaggerTransform = (route) => {
  const { schema, url } = jsonSchemaTransform(route);
  if (!url.startsWith("/v1/")) return { schema: { ...schema, hide: true }, url };
  return { schema: { ...schema, response: { ...responsesOf(schema), default: problemResponse } }, url };
};

/** What a route sends as it is, such as a blob, has a media type and no schema. */
function responsesOf({ response, produces = [] }: { response?: unknown; produces?: readonly string[] }): object {
  if (typeof response === "object" && response !== null) {
    return Object.fromEntries(Object.entries(response).map(([status, content]) => [status, withMediaTypes(status, content, produces)]));
  }
  if (produces.length === 0) return { 200: { description: "Without content", type: "null" } };
  return { 200: { description: "As it is", content: Object.fromEntries(produces.map((type) => [type, { schema: {} }])) } };
}

function withMediaTypes(status: string, schema: object, produces: readonly string[]): object {
  if (["204", "304"].includes(status)) return { description: status === "304" ? "As the client has it" : "Done", type: "null" };
  const others = produces.map((type) => [type, { schema: {} }]);
  return { description: "Success", content: { "application/json": { schema }, ...Object.fromEntries(others) } };
}
