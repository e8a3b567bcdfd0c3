import { html } from "@quorate/service/html";
import type { Page } from "../page.ts";

/** What went wrong, and what to do next. */
export function errorPage({ status, title, detail }: { status: number; title: string; detail: string }): Page {
  return {
    status,
    title,
    description: detail,
    main: html`<h1>${title}</h1>
      <p class="notice">${detail}</p>
      <p><a href="/">Search for a package</a></p>`,
  };
}
