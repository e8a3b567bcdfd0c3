import { compareVersions, parseVersion } from "@quorate/debian/version";
import { ParseError } from "@quorate/protocol/parse-error";
import { type Html, html } from "@quorate/service/html";
import { outcomeIcon, worstOf } from "../outcome.ts";
import type { ArtifactLine } from "../package-facts.ts";
import { packagePath } from "./links.ts";

const shownVersions = 40;

/** How each version came out, oldest first: the worst of its artifacts. Nothing for one version alone. */
export function versionStrip(name: string, lines: readonly ArtifactLine[]): Html | false {
  const versions = [...Map.groupBy(lines, ({ version }) => version)]
    .map(([version, ofVersion]) => ({ version, outcome: worstOf(ofVersion.flatMap(({ outcome }) => outcome ?? [])) ?? "pending" }))
    .toSorted((a, b) => byVersion(a.version, b.version));
  if (versions.length < 2) return false;
  return html`<section>
    <h2>Version by version</h2>
    ${versions.length > shownVersions && html`<p class="none">The newest ${shownVersions} of ${versions.length}.</p>`}
    <ol class="strip">
      ${versions.slice(-shownVersions).map(
        ({ version, outcome }) =>
          html`<li class="${outcome}">
            <a href="${packagePath(name, version)}" title="${version}: ${outcome}"
              >${outcomeIcon(outcome)}<span>${version}</span><small>${outcome}</small></a
            >
          </li>`,
      )}
    </ol>
  </section>`;
}

/** A target may have a version that Debian's order has no place for: such come first, by their text. */
function byVersion(a: string, b: string): number {
  const [x, y] = [hasPlace(a), hasPlace(b)];
  if (x && y) return compareVersions(a, b);
  return Number(x) - Number(y) || (a < b ? -1 : 1);
}

function hasPlace(version: string): boolean {
  try {
    parseVersion(version);
    return true;
  } catch (error) {
    if (error instanceof ParseError) return false;
    throw error;
  }
}
