import { type Html, html } from "@quorate/service/html";
import { outcomeBadge } from "../outcome.ts";
import type { ArtifactLine } from "../package-facts.ts";
import { shortDigest } from "../digest-mark.ts";
import { artifactPath, versionLink } from "./links.ts";

/** Artifacts as a table, one line each. */
export function artifactLines(lines: readonly ArtifactLine[]): Html {
  return html`<div class="scroll" role="region" aria-label="Artifacts" tabindex="0">
    <table class="list">
      <thead>
        <tr>
          <th scope="col">File</th>
          <th scope="col">Verdict</th>
          <th scope="col">Version</th>
          <th scope="col">Suite</th>
          <th scope="col">Published</th>
        </tr>
      </thead>
      <tbody>
        ${lines.map(
          (line) =>
            html`<tr>
              <th scope="row"><a href="${artifactPath(line.sha256)}">${line.file}</a></th>
              <td>${outcomeBadge(line.outcome ?? "pending")}</td>
              <td>${versionLink(line.package, line.version)}</td>
              <td>${line.distribution}/${line.suite}</td>
              <td>${shortDigest(line.sha256)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}
