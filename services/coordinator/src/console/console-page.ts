import { type Content, type Html, html, trustedMarkup } from "@quorate/service/html";
import type { ConsoleOverview, ConsoleRound } from "./console-overview.ts";

const modeWords = {
  running: "The network is running.",
  paused: "The network is paused: submissions wait, and no committee is drawn. Rounds under way go on.",
  draining: "The network is draining: submissions are refused, and no committee is drawn. Rounds under way go on.",
};

/** The whole console, as one document without scripts. */
export function consolePage(overview: ConsoleOverview, now: Date): string {
  return html`${trustedMarkup("<!doctype html>")}
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>Console · Quorate</title>
        <link rel="stylesheet" href="/console.css" />
      </head>
      <body>
        <header>
          <h1>Console</h1>
          <nav>As of ${timeOf(now)}: <a href="/">look again</a>, <a href="/queues">queues</a>, <a href="/overview.json">JSON</a></nav>
        </header>
        <main>
          ${modeSection(overview)} ${roundsSection(overview, now)} ${retryableSection(overview, now)} ${workersSection(overview)}
          ${logSection(overview, now)} ${auditSection(overview)}
        </main>
      </body>
    </html>`.toString();
}

function modeSection({ mode, modeSince, counts, operatorsPending, disk }: ConsoleOverview): Html {
  const { planned = 0, building = 0, revealing = 0, settling = 0, settled = 0 } = counts;
  const underWay = building + revealing + settling;
  const drained = mode !== "running" && underWay === 0;
  return html`<section>
    <p class="${mode}">
      <strong>${modeWords[mode]}</strong>
      ${modeSince && html` Since ${timeOf(modeSince)}.`} ${drained && " Nothing is under way: the coordinator may be stopped."}
    </p>
    <div class="actions">
      ${
        mode === "running"
          ? [actionButton("/pause", "Pause"), actionButton("/drain", "Drain")]
          : [actionButton("/resume", "Resume"), mode === "paused" && actionButton("/drain", "Drain")]
      }
    </div>
    <dl>
      <dt>Rounds</dt>
      <dd>${planned} planned, ${underWay} under way, ${settled} settled</dd>
      <dt>Disk</dt>
      <dd>${gibibytes(disk.freeBytes)} of ${gibibytes(disk.totalBytes)} GiB free</dd>
      <dt>Operators to decide on</dt>
      <dd>${operatorsPending}${operatorsPending > 0 && html`: <code>quorate network operators list</code>`}</dd>
    </dl>
  </section>`;
}

function roundsSection({ rounds }: ConsoleOverview, now: Date): Html {
  const row = (round: ConsoleOverview["rounds"][number]) =>
    html`<tr class="${round.stuck ? "stuck" : ""}">
      ${roundCells(round, now)}
      <td>${round.stuck && "Stuck: "}${round.why}</td>
      <td>${retryButton(round)}</td>
    </tr>`;
  return tableSection("Rounds without a verdict", ["Package", "State", "For", "Waits for", ""], rounds.map(row));
}

function retryableSection({ retryable }: ConsoleOverview, now: Date): Html {
  const row = (round: ConsoleRound) =>
    html`<tr>
      ${roundCells(round, now)}
      <td>${retryButton(round)}</td>
    </tr>`;
  return tableSection("Rounds that may be tried again", ["Package", "Verdict", "For", ""], retryable.map(row));
}

function roundCells({ round, label, state, since }: ConsoleRound, now: Date): Html {
  return html`<th scope="row">${label}<br /><small>${round.slice(0, 16)}</small></th>
    <td>${state}</td>
    <td>${agoOf(since, now)}</td>`;
}

function workersSection({ workers }: ConsoleOverview): Html {
  const row = ({ operatorName, name, state, capabilities, renewedAt }: ConsoleOverview["workers"][number]) =>
    html`<tr>
      <th scope="row">${operatorName}: ${name}</th>
      <td>${state}</td>
      <td>${capabilities.architectures.join(", ")}</td>
      <td>
        ${capabilities.cores} ${capabilities.cores === 1 ? "core" : "cores"}, ${gibibytes(capabilities.memoryMib * 2 ** 20)} GiB,
        ${gibibytes(capabilities.diskMib * 2 ** 20)} GiB disk
      </td>
      <td>${timeOf(renewedAt)}</td>
    </tr>`;
  return tableSection("Workers", ["Worker", "State", "Builds for", "Machine", "Credentials renewed"], workers.map(row));
}

function logSection({ log }: ConsoleOverview, now: Date): Html {
  if ("problem" in log)
    return html`<section>
      <h2>Log</h2>
      <p class="stuck">The log does not answer, and nothing goes on without it: ${log.problem}</p>
    </section>`;
  const rows = log.witnesses.map(
    ({ name, cosignedAt }) =>
      html`<tr class="${cosignedAt ? "" : "stuck"}">
        <th scope="row">${name}</th>
        <td>${cosignedAt ? `${agoOf(cosignedAt, now)} ago` : "has not cosigned the newest checkpoint"}</td>
      </tr>`,
  );
  return tableSection(`Witnesses of the log's ${log.size} entries`, ["Witness", "Cosigned"], rows);
}

function auditSection({ audit }: ConsoleOverview): Html {
  const rows = audit.map(
    ({ at, actor, action, subject, detail }) =>
      html`<tr>
        <th scope="row">${timeOf(at)}</th>
        <td>${actor}</td>
        <td>${action}</td>
        <td>${subject}</td>
        <td>${detail}</td>
      </tr>`,
  );
  return tableSection("Audit log", ["When", "Who", "What", "Of what", ""], rows);
}

function tableSection(title: string, columns: readonly string[], rows: readonly Html[]): Html {
  const table = html`<div class="wide" tabindex="0" role="region" aria-label="${title}">
    <table>
      <thead>
        <tr>
          ${columns.map((column) => (column === "" ? html`<td></td>` : html`<th scope="col">${column}</th>`))}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;
  return html`<section>
    <h2>${title}</h2>
    ${rows.length === 0 ? html`<p>None.</p>` : table}
  </section>`;
}

function retryButton({ round, label }: ConsoleRound): Html {
  return actionButton(`/rounds/${round}/retry`, "Retry", html`<span class="unseen"> ${label}</span>`);
}

function actionButton(path: string, text: string, more?: Content): Html {
  return html`<form method="post" action="${path}"><button>${text}${more}</button></form>`;
}

function timeOf(time: Date | string): Html {
  const iso = typeof time === "string" ? time : time.toISOString();
  return html`<time datetime="${iso}">${iso.slice(0, 16).replace("T", " ")}</time>`;
}

function agoOf(time: Date, now: Date): string {
  const seconds = Math.max(0, Math.round((now.getTime() - time.getTime()) / 1000));
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

function gibibytes(bytes: number): string {
  return (bytes / 2 ** 30).toFixed(1);
}
