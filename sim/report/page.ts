/**
 * Page: one self-contained file of HTML that shows a history at a glance.
 *
 * A pure function of the trace file: the same trace gives the same page. No network, no dependency;
 * it can be attached to an issue and opened years later.
 */
import type { TraceFile } from "../trace-file.ts";
import { drawScript } from "./draw-script.ts";
import { reportModel, type ReportModel } from "./model.ts";
import { panelScript } from "./panel-script.ts";
import { reportStyle } from "./style.ts";

/** `repeat`: the command that runs it again, where there is one. */
export function reportPage(file: TraceFile, repeat = ""): string {
  const model = reportModel(file);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(`${model.title}: ${headline(model)}`)}</title>
<style>${reportStyle}</style>
<body>
<header>
  <h1>${escapeHtml(model.title)}</h1>
  <span class="${model.failures.length === 0 ? "good" : "bad"}">${escapeHtml(headline(model))}</span>
  <span class="soft mono">${escapeHtml(repeat === "" ? `trace ${model.hash} · code ${model.code}` : repeat)}</span>
  <span class="bar">
    <label><input type="checkbox" id="show-messages" checked> messages</label>
    <label><input type="checkbox" id="show-marks" checked> marks</label>
    <label><input type="checkbox" id="show-links" checked> links</label>
    <button id="wrong"${model.moments.length === 0 ? " hidden" : ""}>first wrong moment (f)</button>
    <button id="out" title="zoom out (-)">−</button>
    <button id="in" title="zoom in (+)">+</button>
    <button id="all" title="all of it (0)">all</button>
  </span>
</header>
<main>
  <section id="stage">
    <canvas id="axis"></canvas>
    <div id="scroll"><canvas id="lanes" tabindex="0" aria-label="lanes over time"></canvas></div>
  </section>
  <aside>
    ${failuresHtml(model)}
    <h2>At <span id="cursor" class="mono"></span> <span id="phase"></span></h2>
    <ul id="details"><li class="soft">Click into a lane. Wheel zooms, drag pans, shift and wheel scrolls.</li></ul>
    <section id="tables-section" hidden>
      <h2>Tables at this moment <select id="table"></select></h2>
      <div id="tables"></div>
      <div id="records"></div>
    </section>
    ${verdictsHtml(model)}
    ${legendHtml}
    ${leftOutHtml(model)}
  </aside>
</main>
<script type="application/json" id="model">${escapeJson(JSON.stringify(model))}</script>
<script>${drawScript}${panelScript}</script>
</body>
</html>
`;
}

function headline({ failures, lanes, faults, endMs, verdicts }: ReportModel): string {
  const nodes = lanes.filter(({ kind }) => kind === "node").length;
  const clients = lanes.filter(({ kind }) => kind === "client").length;
  const size = `${nodes} nodes, ${clients} clients, ${faults.length} faults, ${endMs / 1_000} s`;
  if (failures.length === 0) {
    const judged = Object.keys(verdicts).length > 0;
    return `${judged ? "nothing wrong" : "not judged, its trace was cut short"} · ${size}`;
  }
  const names = [...new Set(failures.map(({ oracle }) => oracle))].join(", ");
  return `wrong: ${names} · ${size}`;
}

function failuresHtml({ moments, failures }: ReportModel): string {
  if (failures.length === 0) return "";
  const firsts = moments.map(
    ({ oracle, what, at, place, is }) =>
      `<li data-at="${at}"><span class="bad">${escapeHtml(oracle)}</span> ` +
      `<span class="soft">${is} at ${(at / 1_000).toFixed(3)} s in ${escapeHtml(place)}:</span> ${escapeHtml(what)}</li>`,
  );
  const rest = failures.map(({ oracle, what }) => {
    const moment = /\bat (\d+) ms\b/.exec(what)?.[1];
    const at = moment === undefined ? "" : ` data-at="${moment}"`;
    return `<li${at}>${escapeHtml(`${oracle}: ${what}`)}</li>`;
  });
  return `<h2>What is wrong</h2><ul>${firsts.join("")}</ul>
    <details><summary>all ${failures.length}</summary><ul>${rest.join("")}</ul></details>`;
}

function verdictsHtml({ verdicts, failures }: ReportModel): string {
  const rows = Object.entries(verdicts).map(([name, { judged, unknown, counts }]) => {
    const failed = failures.filter(({ oracle }) => oracle === name).length;
    const said = failed === 0 ? "ok" : `${failed} wrong`;
    const unsure = unknown === 0 ? "" : `, ${unknown} unknown`;
    return `<tr><th>${escapeHtml(name)}<td class="${failed === 0 ? "good" : "bad"}">${said}<td>${escapeHtml(`${judged} ${counts}${unsure}`)}`;
  });
  return rows.length === 0 ? "" : `<h2>Oracles</h2><table>${rows.join("")}</table>`;
}

/** Colour, and what bears it. */
const legend = [
  ["fault", "a fault is on, and whom it hits"],
  ["up", "a node's process runs"],
  ["paused", "it stands still, or stops"],
  ["link", "its links, one row a peer"],
  ["connecting", "a client logs in"],
  ["online", "it is online"],
  ["delivered", "a message, from its sender to who received it"],
  ["bounced", "it came back, or another warning"],
  ["unsettled", "it never arrived and never came back, or another wrong"],
  ["good", "up again: a start, a login, a link"],
  ["table", "a table is written, or a write is seen"],
  ["line", "how much happens in a lane"],
] as const;

const legendHtml = `<details><summary>What is what</summary><ul class="legend">${legend
  .map(([name, what]) => `<li><i style="background:var(--${name})"></i>${what}</li>`)
  .join("")}</ul></details>`;

function leftOutHtml({ leftOut, tables }: ReportModel): string {
  const notes = [
    ...(leftOut === 0 ? [] : [`${leftOut} marks and messages were left out to keep this small.`]),
    ...(tables.cutShort ? ["Tables are shown for the first part of the run only."] : []),
  ];
  return notes.map((note) => `<p class="soft">${note}</p>`).join("");
}

function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

/** Nothing in it can end the script element. */
function escapeJson(text: string): string {
  return text.replaceAll("<", "\\u003c");
}
