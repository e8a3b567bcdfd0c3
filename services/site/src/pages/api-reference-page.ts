import type { ApiDescription, ApiOperation } from "../api-description.ts";
import { html, type Html } from "@quorate/service/html";
import type { Page } from "../page.ts";

type Reference = { readonly site: ApiDescription; readonly coordinator: ApiDescription | undefined };

export function apiReferencePage({ site, coordinator }: Reference): Page {
  return {
    title: "API reference",
    description: "Every route of the public API, with what it takes and what it answers.",
    section: "docs",
    isMomentary: true,
    main: html`<p class="crumbs"><a href="/docs">Documents</a></p>
      <article class="document">
        <h1>API reference</h1>
        <p>
          Reading needs no token, also from pages of other origins. Errors are <code>application/problem+json</code>, and programs decide on
          their <code>type</code>. The same for machines: <a href="/v1/openapi.json">this site's OpenAPI 3.1 document</a>, and
          <code>/v1/openapi.json</code> of the coordinator.
        </p>
        ${serverSection(site)}
        ${
          coordinator === undefined
            ? html`<p class="stale" role="status">The coordinator does not answer now: its routes cannot be listed.</p>`
            : serverSection(coordinator)
        }
      </article>`,
  };
}

function serverSection({ info, paths }: ApiDescription): Html {
  return html`<h2>${info.title}</h2>
    <p>${info.description}</p>
    ${Object.entries(paths).flatMap(([path, operations]) =>
      Object.entries(operations).map(([method, operation]) => operationSection(`${method.toUpperCase()} ${path}`, operation)),
    )}`;
}

function operationSection(name: string, { summary, security, parameters, requestBody, responses }: ApiOperation): Html {
  return html`<h3><code>${name}</code></h3>
    <p>${summary}.${security && " Needs a token."}</p>
    ${
      parameters.length > 0 &&
      html`<ul>
        ${parameters.map(
          (parameter) =>
            html`<li>
              <code>${parameter.name}</code> (${parameter.in}${parameter.required && ", required"})${
                parameter.description && html`: ${parameter.description}`
              }
              ${schemaDetails("form", parameter.schema)}
            </li>`,
        )}
      </ul>`
    }
    ${requestBody && Object.entries(requestBody.content).map(([type, { schema }]) => schemaDetails(`body: ${type}`, schema))}
    ${Object.entries(responses).flatMap(([status, { description, content = {} }]) =>
      status === "default"
        ? []
        : Object.entries(content).map(([type, { schema }]) => schemaDetails(`${status} ${description}: ${type}`, schema)),
    )}`;
}

/** What has no schema, such as a blob, has only its name. */
function schemaDetails(name: string, schema: unknown): Html {
  const text = JSON.stringify(schema ?? {}, null, 2);
  if (text === "{}") return html`<p>${name}</p>`;
  return html`<details>
    <summary>${name}</summary>
    <pre tabindex="0"><code>${text}</code></pre>
  </details>`;
}
