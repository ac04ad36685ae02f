/** Panel script: details of the moment that is looked at, tables as they were then, and the controls. */
export const panelScript = String.raw`
function laneAt(y) {
  for (let lane = tops.length - 1; lane >= 0; lane--) if (y >= tops[lane]) return lane;
  return 0;
}

function choose(at, lane) {
  cursor = Math.max(0, Math.min(end, Math.round(at)));
  chosenLane = lane;
  location.replace("#t=" + cursor);
  showDetails();
  showTables();
}

function item(text, at, tone) {
  const li = document.createElement("li");
  li.textContent = text;
  if (at !== undefined) li.dataset.at = at;
  if (tone === "bad") li.className = "bad";
  return li;
}

// A login says its client's name itself.
function named(lane, what) {
  const { name } = model.lanes[lane];
  return what.startsWith(name + "#") ? what : name + " " + what;
}

// What happened around the cursor: in the chosen lane, or anywhere.
function showDetails() {
  element("cursor").textContent = seconds(cursor);
  const phase = model.phases.filter(([at]) => at <= cursor).pop();
  element("phase").textContent = phase ? "in " + phase[1] : "";
  const near = (view.to - view.from) / 60;
  const here = (lane) => chosenLane < 0 || lane === chosenLane;
  const found = [];
  for (const [lane, at, tone, what] of model.marks) {
    if (here(lane) && Math.abs(at - cursor) <= near) found.push([at, named(lane, what), tone]);
  }
  for (const [from, sentAt, to, arrivedAt, fate, id] of model.messages) {
    if (!here(from) && !here(to)) continue;
    if (cursor < sentAt - near || cursor > arrivedAt + near || fate === "delivered" && chosenLane < 0) continue;
    const names = model.lanes[from].name + (fate === "bounced" ? "" : " → " + model.lanes[to].name);
    found.push([sentAt, id + " " + names + ": " + fate + (fate === "unsettled" ? "" : " at " + seconds(arrivedAt)), fate === "unsettled" ? "bad" : "plain"]);
  }
  for (const [lane, from, to, state, label] of model.spans) {
    if (chosenLane === lane && from <= cursor && cursor <= to) found.push([from, state + ": " + label + " until " + seconds(to), "plain", 0]);
  }
  for (const band of model.faults) {
    const hit = band.lanes.length === 0 || chosenLane < 0 || band.lanes.includes(chosenLane);
    if (hit && band.from - near <= cursor && cursor <= band.to + near) found.push([band.from, "fault " + band.fault + " on " + band.target + " until " + seconds(band.to), "bad", cursor >= band.from && cursor <= band.to ? 0 : near]);
  }
  // The nearest are told; what lasts is near as long as it lasts, whenever it began.
  const distance = ([at, , , apart]) => apart ?? Math.abs(at - cursor);
  found.sort((one, other) => distance(one) - distance(other));
  const list = element("details");
  list.replaceChildren(...found.slice(0, 40).sort((one, other) => one[0] - other[0])
    .map(([at, text, tone]) => item(seconds(at) + "  " + text, at, tone)));
  if (found.length === 0) list.replaceChildren(item("Nothing here."));
}

// Plays the table operations up to the cursor: what each node shows of each owner.
const { texts, operations } = model.tables;
const tableNames = [...new Set(operations.map((operation) => operation[3]))].filter((name) => texts[name] !== "");
for (const name of tableNames) {
  const option = document.createElement("option");
  option.value = name;
  option.textContent = texts[name];
  element("table").append(option);
}
element("tables-section").hidden = tableNames.length === 0;

function tablesAt(table) {
  const owners = new Map(), views = new Map(), running = new Map();
  for (const [at, node, op, name, owner, seq, put, gone] of operations) {
    if (at > cursor) break;
    if (op === "join") { running.set(node, owner); for (const key of [...views.keys()]) if (key.startsWith(node + " ")) views.delete(key); continue; }
    if (op === "end") { running.delete(node); for (const key of [...views.keys()]) if (key.startsWith(node + " ")) views.delete(key); continue; }
    if (name !== table) continue;
    const key = node + " " + owner;
    if (op === "hide") { views.delete(key); continue; }
    const all = op === "write" ? owners : views;
    const id = op === "write" ? owner : key;
    const before = op === "fresh" ? undefined : all.get(id);
    const records = before ? before.records : new Map();
    for (let index = 0; index + 1 < put.length; index += 2) records.set(put[index], put[index + 1]);
    for (const each of gone) records.delete(each);
    all.set(id, { seq, records });
  }
  return { owners, views, running };
}

const sameRecords = (one, other) => one.size === other.size && [...one].every(([key, value]) => other.get(key) === value);
const printable = (text) => JSON.stringify(text).slice(1, -1);

function showTables() {
  if (tableNames.length === 0) return;
  const { owners, views, running } = tablesAt(Number(element("table").value));
  const order = (id) => model.lanes.findIndex(({ name }) => name === texts[id]);
  const nodes = [...running.keys()].sort((one, other) => order(one) - order(other)), head = document.createElement("tr");
  const columns = nodes.map((node) => running.get(node));
  head.append(cell("th", "shown by"), ...columns.map((owner) => cell("th", texts[owner].split("#")[0], "", texts[owner])));
  const rows = nodes.map((node) => {
    const row = document.createElement("tr");
    row.append(cell("th", texts[node]));
    for (const owner of columns) {
      const own = owners.get(owner), seen = running.get(node) === owner ? own : views.get(node + " " + owner);
      const text = seen ? seen.records.size + " @" + seq(seen) : running.get(node) === owner ? "0" : "–";
      row.append(cell("td", text, stateOf(running.get(node) === owner, own, seen),
        seen && own && seen.seq < own.seq ? "its owner is at " + own.seq : ""));
    }
    return row;
  });
  const table = document.createElement("table");
  table.append(head, ...rows);
  element("tables").replaceChildren(table);
  const records = element("records");
  const list = document.createElement("details"), title = document.createElement("summary");
  title.textContent = "records of their owners";
  const lines = columns.flatMap((owner) => [...(owners.get(owner) ? owners.get(owner).records : [])]
    .slice(0, 100).map(([key, value]) => texts[owner] + "  " + printable(texts[key]) + " = " + printable(texts[value])));
  const text = document.createElement("pre");
  text.textContent = lines.join("\n");
  text.style.whiteSpace = "pre-wrap";
  list.append(title, text);
  list.open = records.firstElementChild ? records.firstElementChild.open : false;
  records.replaceChildren(list);
}
const seq = (seen) => seen.seq;
function stateOf(self, own, seen) {
  if (self) return "cell-same";
  if (!seen) return "cell-none";
  if (own && seen.seq < own.seq) return "cell-behind";
  return own && sameRecords(own.records, seen.records) || !own && seen.records.size === 0 ? "cell-same" : "cell-wrong";
}
function cell(kind, text, className, title) {
  const made = document.createElement(kind);
  made.textContent = text;
  if (title) made.title = title;
  if (className) made.className = className;
  return made;
}

let drag;
canvas.addEventListener("pointerdown", (event) => {
  drag = { x: event.clientX, y: event.clientY, from: view.from, to: view.to, top: scroll.scrollTop, moved: false };
  canvas.setPointerCapture(event.pointerId);
});
canvas.addEventListener("pointermove", (event) => {
  if (!drag) return;
  const dx = event.clientX - drag.x, dy = event.clientY - drag.y;
  if (Math.abs(dx) + Math.abs(dy) > 4) drag.moved = true;
  if (!drag.moved) return;
  const by = (dx * (drag.to - drag.from)) / width();
  scroll.scrollTop = drag.top - dy;
  look(drag.from - by, drag.to - by);
});
canvas.addEventListener("pointerup", (event) => {
  if (drag && !drag.moved) {
    const box = canvas.getBoundingClientRect();
    const px = event.clientX - box.left;
    choose(px < labelWidth ? cursor : time(px), laneAt(event.clientY - box.top));
    draw();
  }
  drag = undefined;
});
canvas.addEventListener("wheel", (event) => {
  if (event.shiftKey) return;
  event.preventDefault();
  if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) return pan(event.deltaX / width());
  zoom(event.deltaY > 0 ? 1.25 : 0.8, time(event.clientX - canvas.getBoundingClientRect().left));
}, { passive: false });
element("in").onclick = () => zoom(0.5);
element("out").onclick = () => zoom(2);
element("all").onclick = () => look(0, end);
const firstWrong = () => { if (model.moments.length > 0) goTo(model.moments[0].at); };
element("wrong").onclick = firstWrong;
element("table").onchange = showTables;
for (const id of ["show-messages", "show-marks", "show-links"]) element(id).onchange = draw;
document.querySelector("aside").addEventListener("click", (event) => {
  const target = event.target.closest("li[data-at]");
  if (target) goTo(Number(target.dataset.at));
});
document.addEventListener("keydown", (event) => {
  const keys = { "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), "0": () => look(0, end),
    ArrowLeft: () => pan(-0.2), ArrowRight: () => pan(0.2), f: firstWrong };
  const act = keys[event.key];
  if (act && event.target.tagName !== "SELECT" && !event.ctrlKey && !event.metaKey) { act(); event.preventDefault(); }
});
window.addEventListener("resize", draw);
const asked = /^#t=(\d+)$/.exec(location.hash);
if (asked) cursor = Math.min(end, Number(asked[1]));
choose(cursor, -1);
draw();
`;
