import { type Html, html, trustedMarkup } from "@quorate/service/html";
import type { HostState } from "./host-standing.ts";

export const stateWords: Record<HostState, string> = {
  tampering: "runs bytes that nobody reproduced, where that is an alarm",
  silent: "has not reported in time",
  "never-reported": "has never reported",
  incomplete: "could not look at everything",
  drift: "runs something that is not verified",
  clean: "runs exactly what was reproduced",
};

/** A whole page. A host says what its files are called, and a host may be anybody's by now: nothing of it is markup. */
export function page({ title, heading }: { title: string; heading: string }, content: readonly Html[]): string {
  return html`${trustedMarkup("<!doctype html>")}
    <html lang="en">
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width" />
      <title>${title}</title>
      <style>
        body {
          font: 16px/1.5 system-ui;
          max-width: 70rem;
          margin: 2rem auto;
          padding: 0 1rem;
        }
        table {
          border-collapse: collapse;
          width: 100%;
        }
        th,
        td {
          text-align: left;
          vertical-align: top;
          padding: 0.3rem 0.8rem 0.3rem 0;
          border-top: 1px solid #999;
        }
        code {
          overflow-wrap: anywhere;
        }
      </style>
      <h1>${heading}</h1>
      ${content}
    </html>`.toString();
}

export function table(columns: readonly string[], rows: readonly Html[]): Html {
  return html`<table>
    <thead>
      <tr>
        ${columns.map((column) => html`<th>${column}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`;
}
