import type { RuntimePredicate } from "@quorate/protocol/runtime";
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

/** The fleet for administrators: which hosts run exactly the reproduced bytes, and which run others. */
export function fleetPage(standings: readonly HostStanding[]): string {
  const sorted = standings.toSorted((a, b) => states.indexOf(a.state) - states.indexOf(b.state) || (a.name < b.name ? -1 : 1));
  const clean = standings.filter(({ state }) => state === "clean").length;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Fleet: ${clean} of ${standings.length} hosts run exactly what was reproduced</title>
<style>body{font:16px/1.5 system-ui;max-width:70rem;margin:2rem auto;padding:0 1rem}table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.3rem .8rem .3rem 0;border-top:1px solid #999}code{overflow-wrap:anywhere}</style>
<h1>${clean} of ${standings.length} hosts run exactly what was reproduced</h1>
<h2>Hosts</h2>
<table>
<thead><tr><th>Host<th>State<th>Processes<th>Verified<th>Last report</thead>
<tbody>
${sorted.map(hostRow).join("\n")}
</tbody>
</table>
<h2>What runs and is not verified</h2>
${findingTable(standings)}
<h2>What no report can show</h2>
<ul>${[...new Set(standings.flatMap(({ report }) => report?.unseen ?? []))].map((what) => `<li>${escapeHtml(what)}`).join("")}</ul>
</html>
`;
}

function hostRow({ name, id, state, receivedAt = "never", report }: HostStanding): string {
  const last = state === "silent" ? ` (its last: ${report?.outcome})` : "";
  const cells = [
    `<strong>${escapeHtml(name)}</strong><br><code>${id}</code>`,
    `<strong>${state}</strong>: ${stateWords[state]}${last}`,
    report?.processes ?? "",
    report?.counts["verified"] ?? "",
    receivedAt,
  ];
  return `<tr>${cells.map((cell) => `<td>${cell}`).join("")}`;
}

/** Each finding once, with the hosts that have it. */
function findingTable(standings: readonly HostStanding[]): string {
  const found = standings.flatMap(({ name, report }) => (report?.findings ?? []).map((finding) => ({ name, finding })));
  if (found.length === 0) return "<p>Nothing.";
  const groups = Map.groupBy(found, ({ finding }) => `${finding.class}\0${finding.path}\0${finding.reason ?? ""}`);
  const rows = [...groups.values()].flatMap(([first, ...more]) => {
    if (first === undefined) return [];
    return [
      findingRow(
        first.finding,
        [first, ...more].map(({ name }) => name),
      ),
    ];
  });
  return `<table><thead><tr><th>Class<th>What<th>Hosts</thead><tbody>\n${rows.join("\n")}\n</tbody></table>`;
}

function findingRow({ class: found, path, reason }: RuntimePredicate["findings"][number], names: readonly string[]): string {
  const detail = reason === undefined ? "" : `<br>${escapeHtml(reason)}`;
  return `<tr><td>${escapeHtml(found)}<td><code>${escapeHtml(path)}</code>${detail}<td>${names.map(escapeHtml).join(", ")}`;
}

/** A host says what its files are called, and a host may be anybody's by now. */
function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;").replaceAll("'", "&#39;");
}
