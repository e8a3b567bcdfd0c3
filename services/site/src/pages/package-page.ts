import { html } from "@quorate/service/html";
import { type Outcome, outcomeCounts } from "../outcome.ts";
import { type ArtifactLine, maxLines } from "../package-facts.ts";
import type { Page } from "../page.ts";
import { artifactLines } from "./artifact-lines.ts";
import { feedOf, packageLink, packagePath } from "./links.ts";
import { versionStrip } from "./version-strip.ts";

/** Every artifact of a binary or source package that the network was asked about; of one version, or of all. */
export function packagePage({ name, version, lines }: { name: string; version?: string; lines: readonly ArtifactLine[] }): Page {
  const counts = new Map<Outcome, number>();
  for (const { outcome = "pending" } of lines) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  const what = version === undefined ? name : `${name} ${version}`;
  return {
    title: what,
    description: `What independent rebuilds say of ${what}.`,
    feed: counts.size > (counts.has("pending") ? 1 : 0) ? feedOf(packagePath(name)) : undefined,
    main: html`${version !== undefined && html`<p class="crumbs">${packageLink(name)}</p>`}
      <h1>${what}</h1>
      ${outcomeCounts(counts)}
      ${lines.length >= maxLines && html`<p class="notice">These are the ${maxLines} with the newest verdicts; ask for a version to see the others.</p>`}
      ${version === undefined && versionStrip(name, lines)} ${artifactLines(lines)}`,
  };
}
