import type { RuntimePredicate } from "@quorate/protocol/runtime";
import { type Html, html } from "@quorate/service/html";
import { type HostStanding, hostStates } from "./host-standing.ts";
import { page, stateWords, table } from "./page.ts";

/** The fleet for administrators: which hosts run exactly the reproduced bytes, and which run others. */
export function fleetPage(standings: readonly HostStanding[]): string {
  const sorted = standings.toSorted((a, b) => hostStates.indexOf(a.state) - hostStates.indexOf(b.state) || (a.name < b.name ? -1 : 1));
  const clean = standings.filter(({ state }) => state === "clean").length;
  const unseen = new Set(standings.flatMap(({ report }) => report?.unseen ?? []));
  const heading = `${clean} of ${standings.length} hosts run exactly what was reproduced`;
  return page({ title: `Fleet: ${heading}`, heading }, [
    html`<h2>Hosts</h2>`,
    table(["Host", "State", "Processes", "Verified", "Last report"], sorted.map(hostRow)),
    html`<h2>What runs and is not verified</h2>`,
    findingTable(standings),
    html`<h2>What no report can show</h2>
      <ul>
        ${[...unseen].map((what) => html`<li>${what}</li>`)}
      </ul>`,
  ]);
}

function hostRow({ name, id, state, receivedAt = "never", report }: HostStanding): Html {
  return html`<tr>
    <td>
      <strong><a href="hosts/${id}">${name}</a></strong
      ><br /><code>${id}</code>
    </td>
    <td><strong>${state}</strong>: ${stateWords[state]}${state === "silent" && ` (its last: ${report?.outcome})`}</td>
    <td>${report?.processes}</td>
    <td>${report?.counts["verified"]}</td>
    <td>${receivedAt}</td>
  </tr>`;
}

/** Each finding once, with the hosts that have it. */
function findingTable(standings: readonly HostStanding[]): Html {
  const found = standings.flatMap(({ name, report }) => (report?.findings ?? []).map((finding) => ({ name, finding })));
  if (found.length === 0) return html`<p>Nothing.</p>`;
  const groups = Map.groupBy(found, ({ finding }) => `${finding.class}\0${finding.path}\0${finding.reason ?? ""}`);
  const rows = [...groups.values()].flatMap((group) => {
    const [first] = group;
    const names = group.map(({ name }) => name);
    return first === undefined ? [] : [findingRow(first.finding, names)];
  });
  return table(["Class", "What", "Hosts"], rows);
}

function findingRow({ class: found, path, reason }: RuntimePredicate["findings"][number], names: readonly string[]): Html {
  return html`<tr>
    <td>${found}</td>
    <td><code>${path}</code>${reason !== undefined && html`<br />${reason}`}</td>
    <td>${names.join(", ")}</td>
  </tr>`;
}
