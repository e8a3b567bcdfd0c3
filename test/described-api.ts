import { Ajv2020 } from "ajv/dist/2020.js";
import { fullFormats } from "ajv-formats/dist/formats.js";
import { z } from "zod";

const contentSchema = z.record(z.string(), z.looseObject({ schema: z.unknown() }));
const operationSchema = z.looseObject({ responses: z.record(z.string(), z.looseObject({ content: contentSchema.optional() })) });
const documentSchema = z.looseObject({ paths: z.record(z.string(), z.looseObject({ get: operationSchema.optional() })) });
const nodeSchema = z.object({ example: z.unknown().optional(), examples: z.unknown().optional(), schema: z.unknown().optional() });

export type Answer = { readonly status: number; readonly headers: Headers; readonly text: string };

/** What an OpenAPI 3.1 document says of the answers of its GET routes, by the rules of JSON Schema 2020-12. */
export class DescribedApi {
  readonly #document: z.infer<typeof documentSchema>;
  readonly #schemas = new Ajv2020({ strict: false, allErrors: true, formats: fullFormats });

  constructor(document: unknown) {
    this.#document = documentSchema.parse(document);
    this.#schemas.addSchema(this.#document, "openapi:");
  }

  /** Paths as OpenAPI writes them: `/v1/rounds/{id}`. */
  get paths(): string[] {
    return Object.entries(this.#document.paths).flatMap(([path, { get }]) => (get ? [path] : []));
  }

  /** What is wrong with an answer: its media type is not described for its status, or its body is not what the schema says; else nothing. */
  complaints(path: string, { status, headers, text }: Answer): string[] {
    const responses = this.#document.paths[path]?.get?.responses ?? {};
    const key = String(status) in responses ? String(status) : "default";
    const mediaType = headers.get("content-type")?.split(";")[0] ?? "";
    if (responses[key]?.content?.[mediaType] === undefined) return [`${status} ${mediaType} is not described`];
    const pointer = ["paths", path, "get", "responses", key, "content", mediaType, "schema"];
    const body: unknown = mediaType.endsWith("json") && !mediaType.endsWith("ndjson") ? JSON.parse(text) : text;
    return this.#complaintsOf(pointer, body);
  }

  /** What is wrong with the examples of the document, by where they are. */
  complaintsOfExamples(): { examples: number; complaints: string[] } {
    const found = { examples: 0, complaints: new Array<string>() };
    const visit = (node: unknown, pointer: readonly string[]): void => {
      if (typeof node !== "object" || node === null) return;
      const { example, examples, schema } = Array.isArray(node) ? {} : nodeSchema.parse(node);
      const given = [...(example === undefined ? [] : [example]), ...(Array.isArray(examples) ? examples : [])];
      const described = schema === undefined ? pointer : [...pointer, "schema"];
      found.examples += given.length;
      found.complaints.push(...given.flatMap((value) => this.#complaintsOf(described, value)));
      for (const [key, value] of Object.entries(node)) if (key !== "example" && key !== "examples") visit(value, [...pointer, key]);
    };
    visit(this.#document, []);
    return found;
  }

  #complaintsOf(pointer: readonly string[], value: unknown): string[] {
    const fragment = pointer.map((step) => `/${encodeURIComponent(step.replaceAll("~", "~0").replaceAll("/", "~1"))}`).join("");
    const validate = this.#schemas.getSchema(`openapi:#${fragment}`);
    if (validate === undefined) return [`there is no schema at ${fragment}`];
    if (validate(value) === true) return [];
    return (validate.errors ?? []).map(({ instancePath, message }) => `${fragment}: ${instancePath} ${message}`);
  }
}
