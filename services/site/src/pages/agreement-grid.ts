import type { OperatorId } from "@quorate/protocol/operator";
import type { Result } from "@quorate/protocol/result";
import type { ExpectedArtifact } from "@quorate/protocol/target";
import type { VerdictInput } from "@quorate/protocol/verdict";
import { membersOf } from "@quorate/verdict/standing";
import type { RoundFacts, TargetFacts } from "../artifact-facts.ts";
import { shortDigest } from "../digest-mark.ts";
import { type Html, html, trustedMarkup } from "@quorate/service/html";
import { artifactPath, entryLink, operatorLink } from "./links.ts";
import { standingWords } from "./standing-words.ts";

/** Operators × artifacts: the digest that each operator signed for each file, below the published one. Equal digests look equal. */
export function agreementGrid(facts: TargetFacts & { artifact?: ExpectedArtifact }, round: RoundFacts): Html {
  const artifacts = facts.target.artifacts.toSorted(
    (a, b) => Number(b.file === facts.artifact?.file) - Number(a.file === facts.artifact?.file),
  );
  const members = membersOf(round.round);
  return html`<div class="scroll" role="region" aria-label="Digests by operator and file" tabindex="0">
    <table class="grid">
      <thead>
        <tr>
          <td></td>
          ${artifacts.map(
            ({ file, sha256 }) =>
              html`<th scope="col" ${file === facts.artifact?.file && trustedMarkup('class="subject"')}>
                <a href="${artifactPath(sha256)}">${file}</a>
              </th>`,
          )}
        </tr>
      </thead>
      <tbody>
        <tr class="published">
          <th scope="row">Published<small>${facts.target.distribution}/${facts.target.suite}</small></th>
          ${artifacts.map(({ sha256 }) => html`<td>${shortDigest(sha256)}</td>`)}
        </tr>
        ${members.map((id) => operatorRow(rowOf(id, facts, round), artifacts))}
      </tbody>
    </table>
  </div>`;
}

type Row = {
  readonly id: OperatorId;
  readonly heading: Html;
  readonly state: Html;
  readonly result: Result | undefined;
  readonly counted: boolean;
};

function rowOf(id: OperatorId, { operators }: TargetFacts, round: RoundFacts): Row {
  const operator = operators.get(id);
  const logged = round.results.find(({ result }) => result.operator === id);
  const committed = round.commitments.find((commitment) => commitment.operator === id);
  // What the verdict looked at may be in a large envelope that cannot be had yet.
  const input = round.ruling?.verdict.inputs.find((one) => one.operator === id);
  const standing = input?.standing;
  return {
    id,
    heading: operator === undefined ? html`${id.slice(0, 8)}` : operatorLink(operator),
    state: stateOf({ logged: logged ?? input, committed, standing, isSettled: round.ruling !== undefined }),
    result: logged?.result,
    counted: standing === undefined || standing === "counted",
  };
}

function stateOf(given: {
  logged: { index: number } | undefined;
  committed: { index: number } | undefined;
  standing: VerdictInput["standing"] | undefined;
  isSettled: boolean;
}): Html {
  const { logged, committed, standing, isSettled } = given;
  if (logged !== undefined) {
    const why = standing === undefined || standing === "counted" ? "" : `not counted: ${standingWords[standing]}, `;
    return html`${why}entry ${entryLink(logged.index)}`;
  }
  if (committed === undefined) return isSettled ? html`no result` : html`at work`;
  return isSettled ? html`committed in ${entryLink(committed.index)}, never revealed` : html`committed in ${entryLink(committed.index)}`;
}

function operatorRow(row: Row, artifacts: readonly ExpectedArtifact[]): Html {
  return html`<tr>
    <th scope="row">${row.heading}<small>${row.state}</small></th>
    ${artifacts.map((artifact) => gridCell(row, artifact))}
  </tr>`;
}

function gridCell({ id, result, counted }: Row, { file, sha256: reference }: ExpectedArtifact): Html {
  const uncounted = counted ? "" : " uncounted";
  if (result === undefined) return html`<td class="none">–</td>`;
  if (result.outcome === "failed") return html`<td class="differs${uncounted}">build failed<small>${result.failure.reason}</small></td>`;
  const built = result.artifacts.find(({ name }) => name === file);
  if (built === undefined) return html`<td class="differs${uncounted}">not built</td>`;
  const same = built.sha256 === reference;
  return html`<td class="${same ? "agrees" : "differs"}${uncounted}" data-operator="${id}" data-file="${file}">
    ${shortDigest(built.sha256)}<small>${same ? "= published" : "≠ published"}</small>
  </td>`;
}
