import type { RuntimePredicate } from "@quorate/protocol/runtime";
import { type Html, html, trustedMarkup } from "@quorate/service/html";
import type { HostStanding, HostState } from "./host-standing.ts";

/** Loudest first. */
const stateWords: Record<HostState, string> = {
  tampering: "runs bytes that nobody reproduced, where that is an alarm",
  silent: "has not reported in time",
  "never-reported": "has never reported",
  incomplete: "could not look at everything",
  drift: "runs something that is not verified",
  clean: "runs exactly what was reproduced",
};
const states = Object.keys(stateWords);

/**
 * The fleet for administrators: which hosts run exactly the reproduced bytes, and which run others. A host says what its files are called, and a host
 * may be anybody's by now.
 */
export function fleetPage(standings: readonly HostStanding[]): string {
  const sorted = standings.toSorted((a, b) => states.indexOf(a.state) - states.indexOf(b.state) || (a.name < b.name ? -1 : 1));
  const clean = standings.filter(({ state }) => state === "clean").length;
  const unseen = new Set(standings.flatMap(({ report }) => report?.unseen ?? []));
  return html`${trustedMarkup("<!doctype html>")}
    <html lang="en">
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width" />
      <title>Fleet: ${clean} of ${standings.length} hosts run exactly what was reproduced</title>
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
      <h1>${clean} of ${standings.length} hosts run exactly what was reproduced</h1>
      <h2>Hosts</h2>
      ${table(["Host", "State", "Processes", "Verified", "Last report"], sorted.map(hostRow))}
      <h2>What runs and is not verified</h2>
      ${findingTable(standings)}
      <h2>What no report can show</h2>
      <ul>
        ${[...unseen].map((what) => html`<li>${what}</li>`)}
      </ul>
    </html>`.toString();
}

function table(columns: readonly string[], rows: readonly Html[]): Html {
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

function hostRow({ name, id, state, receivedAt = "never", report }: HostStanding): Html {
  return html`<tr>
    <td><strong>${name}</strong><br /><code>${id}</code></td>
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
