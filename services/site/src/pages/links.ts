import type { Sha256 } from "@quorate/protocol/digest";
import type { OperatorFacts } from "../operator-facts.ts";
import { type Html, html } from "@quorate/service/html";

export const artifactPath = (sha256: Sha256): string => `/artifact/${sha256}`;

export function packageLink(name: string): Html {
  return html`<a href="/package/${encodeURIComponent(name)}">${name}</a>`;
}

export function versionLink(name: string, version: string): Html {
  return html`<a href="/package/${encodeURIComponent(name)}/${encodeURIComponent(version)}">${version}</a>`;
}

export function entryLink(index: number): Html {
  return html`<a href="/log/entry/${index}">${index}</a>`;
}

export function operatorLink({ id, enrolment }: OperatorFacts): Html {
  return html`<a href="/operator/${id}">${enrolment.name}</a>`;
}
