/**
 * Draw script: lanes, bands, spans, marks and lines on a canvas; zoom, pan, and what is under the pointer.
 *
 * Runs in the browser, as text: plain JavaScript without templates.
 */
export const drawScript = String.raw`
"use strict";
const model = JSON.parse(document.getElementById("model").textContent);
const element = (id) => document.getElementById(id);
const axis = element("axis"), canvas = element("lanes"), scroll = element("scroll");
const labelWidth = 130, linkHeight = 4, end = model.endMs;
const view = { from: 0, to: end };
let cursor = model.moments.length > 0 ? model.moments[0].at : 0, chosenLane = -1;

// Lanes grow with the links that they show.
const linkRows = model.lanes.map(() => new Map());
for (const [lane, , , state, label] of model.spans) {
  if (state === "link" && !linkRows[lane].has(label)) linkRows[lane].set(label, linkRows[lane].size);
}

// Faults stand in rows of the world's lane, each in the first that is free, with room for its name.
const faultHeight = 13, faultTop = 20, faultRowsMax = 14;
const faultRows = [];
const rowOf = new Map(model.faults.map((band) => {
  const free = faultRows.findIndex((until) => until <= band.from);
  const row = free >= 0 ? free : Math.min(faultRows.length, faultRowsMax - 1);
  faultRows[row] = Math.max(faultRows[row] || 0, band.to, band.from + end / 8);
  return [band, row];
}));
const baseHeight = { world: faultTop + 4 + faultRows.length * faultHeight, node: 30, database: 22, client: 22 };
const tops = [];
let height = 0;
model.lanes.forEach((lane, index) => {
  tops.push(height);
  height += baseHeight[lane.kind] + linkRows[index].size * linkHeight + (linkRows[index].size > 0 ? 4 : 0);
});
const laneHeight = (lane) => (lane + 1 < tops.length ? tops[lane + 1] : height) - tops[lane];
const middle = (lane) => tops[lane] + (model.lanes[lane].kind === "world" ? 11 : baseHeight[model.lanes[lane].kind] / 2);

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
const shown = (id) => element(id).checked;
const width = () => Math.max(50, canvas.clientWidth - labelWidth);
const x = (at) => labelWidth + ((at - view.from) * width()) / (view.to - view.from);
const time = (px) => view.from + ((px - labelWidth) * (view.to - view.from)) / width();
const seconds = (at) => (at / 1000).toFixed(3) + " s";

function prepare(target, w, h) {
  const scale = window.devicePixelRatio || 1;
  target.width = Math.round(w * scale);
  target.height = Math.round(h * scale);
  target.style.height = h + "px";
  const pen = target.getContext("2d");
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, w, h);
  pen.font = "11px system-ui, sans-serif";
  pen.textBaseline = "middle";
  return pen;
}

function draw() {
  const w = canvas.clientWidth || 900;
  drawAxis(prepare(axis, w, 34), w);
  const pen = prepare(canvas, w, height);
  pen.save();
  pen.beginPath();
  pen.rect(labelWidth, 0, w - labelWidth, height);
  pen.clip();
  drawActivity(pen);
  drawFaults(pen);
  drawSpans(pen);
  if (shown("show-messages")) drawMessages(pen);
  if (shown("show-marks")) drawMarks(pen);
  drawNames(pen);
  drawMoments(pen, height);
  pen.strokeStyle = color("ink");
  pen.setLineDash([2, 3]);
  line(pen, x(cursor), 0, x(cursor), height);
  pen.setLineDash([]);
  pen.restore();
  drawLabels(pen, w);
  document.documentElement.dataset.drawn = model.lanes.length + " lanes";
}

function line(pen, x1, y1, x2, y2) {
  pen.beginPath();
  pen.moveTo(x1, y1);
  pen.lineTo(x2, y2);
  pen.stroke();
}

// As much of it as there is room for; with a rim, where other things lie beneath.
function write(pen, text, left, y, room, rim) {
  let part = text;
  while (part.length > 4 && pen.measureText(part + "…").width > room) part = part.slice(0, -3);
  if (part === text && pen.measureText(text).width > room || part !== text && part.length <= 4) return;
  const shownText = part === text ? text : part + "…";
  if (rim) pen.strokeText(shownText, left, y);
  pen.fillText(shownText, left, y);
}

function drawAxis(pen, w) {
  const span = view.to - view.from;
  const steps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 6e4, 12e4, 6e5, 36e5];
  const step = steps.find((each) => (each / span) * width() > 70) || span;
  pen.fillStyle = color("soft");
  pen.strokeStyle = color("line");
  for (let at = Math.ceil(view.from / step) * step; at <= view.to; at += step) {
    line(pen, x(at), 24, x(at), 34);
    pen.fillText(step < 1000 ? seconds(at) : at / 1000 + " s", x(at) + 3, 26);
  }
  model.phases.forEach(([at, name], index) => {
    const next = model.phases[index + 1];
    const left = Math.max(labelWidth, x(at)), right = Math.min(w, next ? x(next[0]) : x(end));
    if (right <= left) return;
    pen.fillStyle = color(name === "safety" ? "fault" : "soft");
    pen.globalAlpha = index % 2 === 0 ? 0.12 : 0.22;
    pen.fillRect(left, 0, right - left, 16);
    pen.globalAlpha = 1;
    pen.fillStyle = color("ink");
    write(pen, name, left + 4, 9, right - left - 4);
  });
  pen.clearRect(0, 0, labelWidth, 34);
  for (const moment of model.moments.slice(0, 1)) {
    pen.fillStyle = color("bad");
    pen.strokeStyle = color("bg");
    pen.lineWidth = 4;
    if (x(moment.at) >= labelWidth) write(pen, "▼ first wrong", Math.min(x(moment.at) - 4, w - 80), 26, 90, true);
    pen.lineWidth = 1;
  }
}

function drawActivity(pen) {
  const columns = model.activity[0] ? model.activity[0].length : 0;
  pen.fillStyle = color("line");
  model.activity.forEach((row, lane) => {
    const most = Math.max(1, ...row);
    row.forEach((count, column) => {
      if (count === 0) return;
      const left = x((column * end) / columns), right = x(((column + 1) * end) / columns);
      if (right < labelWidth || left > labelWidth + width()) return;
      const h = Math.max(1, (count / most) * (laneHeight(lane) - 4));
      pen.fillRect(left, tops[lane] + laneHeight(lane) - 1 - h, Math.max(1, right - left), h);
    });
  });
}

function drawFaults(pen) {
  for (const band of model.faults) {
    const left = x(band.from), w = Math.max(2, x(band.to) - left);
    pen.fillStyle = color("fault");
    pen.globalAlpha = 0.13;
    const lanes = band.lanes.length > 0 ? band.lanes : model.lanes.map((_, lane) => lane);
    for (const lane of lanes) if (lane > 0) pen.fillRect(left, tops[lane], w, laneHeight(lane));
    pen.globalAlpha = 0.55;
    pen.fillRect(left, faultTop + rowOf.get(band) * faultHeight, w, faultHeight - 2);
    pen.globalAlpha = 1;
  }
  pen.strokeStyle = color("soft");
  pen.globalAlpha = 0.4;
  for (const [at] of model.phases) line(pen, x(at), 0, x(at), height);
  pen.globalAlpha = 1;
}

// Above all else, with a rim: what is what must be legible among marks and lines.
function drawNames(pen) {
  pen.lineJoin = "round";
  pen.lineWidth = 3;
  pen.strokeStyle = color("bg");
  pen.fillStyle = color("ink");
  for (const band of model.faults) {
    const row = rowOf.get(band), left = Math.max(x(band.from), labelWidth);
    if (x(band.to) < labelWidth || left > labelWidth + width()) continue;
    const next = model.faults.find((each) => each.from > band.from && rowOf.get(each) === row);
    const room = (next ? x(next.from) : labelWidth + width()) - left - 6;
    write(pen, band.fault + " " + band.target, left + 3, faultTop + row * faultHeight + 6, room, true);
  }
  for (const [lane, begin, finish, state, label] of model.spans) {
    const left = Math.max(x(begin), labelWidth), right = Math.min(x(finish), labelWidth + width());
    if (state === "link" || right - left < 50) continue;
    write(pen, label, left + 8, middle(lane), right - left - 12, true);
  }
  pen.lineWidth = 1;
}

function drawSpans(pen) {
  for (const [lane, begin, finish, state, label] of model.spans) {
    const left = x(begin), w = Math.max(1, x(finish) - left);
    if (left > labelWidth + width() || left + w < labelWidth) continue;
    pen.fillStyle = color(state);
    if (state === "link") {
      if (!shown("show-links")) continue;
      const top = tops[lane] + baseHeight[model.lanes[lane].kind] + linkRows[lane].get(label) * linkHeight;
      pen.fillRect(left, top, w, linkHeight - 1);
      continue;
    }
    const h = model.lanes[lane].kind === "node" ? 14 : 10;
    pen.fillRect(left, middle(lane) - h / 2, w, h);
  }
}

function drawMessages(pen) {
  for (const [from, sentAt, to, arrivedAt, fate] of model.messages) {
    if (arrivedAt < view.from || sentAt > view.to) continue;
    pen.strokeStyle = color(fate);
    pen.globalAlpha = fate === "delivered" ? 0.35 : 0.8;
    const x1 = x(sentAt), y1 = middle(from), x2 = x(arrivedAt), y2 = middle(to);
    if (fate !== "unsettled") {
      line(pen, x1, y1, x2, y2 === y1 ? y1 - 8 : y2);
      continue;
    }
    pen.setLineDash([3, 3]);
    line(pen, x1, y1, x1, y2 === y1 ? y1 - 10 : y1 + (y2 - y1) * 0.6);
    pen.setLineDash([]);
  }
  pen.globalAlpha = 1;
}

function drawMarks(pen) {
  for (const [lane, at, tone] of model.marks) {
    if (at < view.from || at > view.to) continue;
    pen.fillStyle = color(tone);
    const size = tone === "bad" ? 3.4 : tone === "plain" || tone === "table" ? 1.7 : 2.6;
    pen.beginPath();
    pen.arc(x(at), middle(lane) + (tone === "table" ? 10 : 0), size, 0, 7);
    pen.fill();
  }
}

function drawMoments(pen) {
  model.moments.forEach((moment, index) => {
    pen.strokeStyle = color("bad");
    pen.globalAlpha = index === 0 ? 1 : 0.4;
    pen.lineWidth = index === 0 ? 2 : 1;
    line(pen, x(moment.at), 0, x(moment.at), height);
    if (index === 0) {
      const lane = Math.max(0, model.lanes.findIndex((each) => each.name === moment.place.split("#")[0]));
      pen.strokeRect(x(moment.at) - 7, middle(lane) - 9, 14, 18);
    }
    pen.lineWidth = 1;
    pen.globalAlpha = 1;
  });
}

function drawLabels(pen, w) {
  pen.clearRect(0, 0, labelWidth, height);
  model.lanes.forEach((lane, index) => {
    pen.fillStyle = color(index === chosenLane ? "bad" : lane.kind === "client" ? "soft" : "ink");
    write(pen, lane.name, 8, middle(index), labelWidth - 12);
    pen.strokeStyle = color("line");
    line(pen, 0, tops[index] + laneHeight(index) - 0.5, w, tops[index] + laneHeight(index) - 0.5);
  });
}

function look(from, to) {
  const span = Math.min(end, Math.max(5, to - from));
  view.from = Math.max(0, Math.min(from, end - span));
  view.to = view.from + span;
  draw();
}
function zoom(factor, around) {
  const at = around === undefined ? (view.from + view.to) / 2 : around;
  look(at - (at - view.from) * factor, at + (view.to - at) * factor);
}
const pan = (share) => look(view.from + share * (view.to - view.from), view.to + share * (view.to - view.from));
function goTo(at) {
  const span = Math.min(view.to - view.from, Math.max(2000, end / 20));
  choose(at, chosenLane);
  look(at - span / 2, at + span / 2);
}
`;
