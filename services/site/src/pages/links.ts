import type { Sha256 } from "@quorate/protocol/digest";
import type { OperatorId } from "@quorate/protocol/operator";
import type { OperatorFacts } from "../operator-facts.ts";
import { type Html, html } from "@quorate/service/html";

export const artifactPath = (sha256: Sha256): string => `/artifact/${sha256}`;
export const entryPath = (index: number): string => `/log/entry/${index}`;
export const operatorPath = (id: OperatorId): string => `/operator/${id}`;

/** The feed of verdicts on what this page shows. */
export const feedOf = (pagePath: string): string => `/v1/feeds${pagePath}`;

/** Of all versions, or of one. */
export function packagePath(name: string, version?: string): string {
  const path = `/package/${encodeURIComponent(name)}`;
  return version === undefined ? path : `${path}/${encodeURIComponent(version)}`;
}

export function packageLink(name: string): Html {
  return html`<a href="${packagePath(name)}">${name}</a>`;
}

export function versionLink(name: string, version: string): Html {
  return html`<a href="${packagePath(name, version)}">${version}</a>`;
}

export function entryLink(index: number): Html {
  return html`<a href="${entryPath(index)}">${index}</a>`;
}

export function operatorLink({ id, enrolment }: OperatorFacts): Html {
  return html`<a href="${operatorPath(id)}">${enrolment.name}</a>`;
}
