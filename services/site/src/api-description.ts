import { z } from "zod";

const contentSchema = z.record(z.string(), z.looseObject({ schema: z.unknown() }));
const text = z.string().max(2000);

const operationSchema = z.looseObject({
  summary: text,
  security: z.array(z.unknown()).optional(),
  parameters: z
    .array(
      z.looseObject({
        name: text,
        in: text,
        required: z.boolean().optional(),
        description: text.optional(),
        schema: z.unknown().optional(),
      }),
    )
    .default([]),
  requestBody: z.looseObject({ content: contentSchema }).optional(),
  responses: z.record(z.string(), z.looseObject({ description: text, content: contentSchema.optional() })),
});
export type ApiOperation = z.infer<typeof operationSchema>;

const apiDescriptionSchema = z.looseObject({
  openapi: z.string().regex(/^3\.1\./),
  info: z.looseObject({ title: text, description: text }),
  paths: z.record(z.string(), z.partialRecord(z.enum(["get", "head", "post", "put", "patch", "delete"]), operationSchema)),
});

/** As much of an OpenAPI 3.1 document as a reference shows. */
export type ApiDescription = z.infer<typeof apiDescriptionSchema>;

/** @throws z.ZodError for anything else */
export function parseApiDescription(document: unknown): ApiDescription {
  return apiDescriptionSchema.parse(document);
}
