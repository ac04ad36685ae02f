import { Script } from "node:vm";
import { expect, test } from "vitest";
import { runRecorded } from "../../sim/cli/record.ts";
import { demoPlan } from "../../sim/cli/demo.ts";
import { makeOracles } from "../../sim/oracles/index.ts";
import { planFromSeed, profiles } from "../../sim/plan-from-seed.ts";
import { firstMoments } from "../../sim/report/moments.ts";
import { reportModel } from "../../sim/report/model.ts";
import { reportPage } from "../../sim/report/page.ts";
import { readTrace, traceEndLine, traceEventLine, traceHeadLine } from "../../sim/trace-file.ts";
import type { TraceEvent } from "../../sim/trace.ts";
import { textFromBytes } from "../../src/base/bytes.ts";
import { server } from "../../src/server/server.ts";

const plan = demoPlan(7);
const { lines } = runRecorded(plan, "1.2.3");
const file = readTrace(lines);

test("report: a pure function of the trace, and of nothing else", () => {
  const page = reportPage(file);
  expect(reportPage(readTrace(lines))).toBe(page);
  expect(reportPage(file, "npm run sim -- replay seed:7/<demo>")).toContain(
    "replay seed:7/&lt;demo&gt;</span>",
  );
  expect(page).toContain("<title>seed 7: nothing wrong · 3 nodes, 12 clients, 3 faults");
  // Self-contained: nothing is loaded from anywhere.
  expect(page).not.toMatch(/\b(?:src|href)=|@import|url\(|fetch\(|https?:/);
  expect(page.length).toBeLessThan(400_000);
});

test("report: a trace that was cut short does not say that nothing is wrong", () => {
  const page = reportPage(readTrace(lines.slice(0, 500)));
  expect(page).toContain("<title>seed 7: not judged, its trace was cut short · 3 nodes");
});

test("report: its script is JavaScript, and its data cannot end the script", () => {
  const page = reportPage({
    ...file,
    end: {
      end: true,
      hash: "0",
      events: 0,
      failures: [{ oracle: "sessions", what: "</script><b>" }],
      verdicts: {},
    },
  });
  const scripts = [...page.matchAll(/<script(?: [^>]*)?>([\s\S]*?)<\/script>/g)];
  const [data, script] = scripts.map((match) => match[1] ?? "");
  expect(scripts).toHaveLength(2);
  expect(JSON.parse(data ?? "")).toMatchObject({ failures: [{ what: "</script><b>" }] });
  expect(() => new Script(script ?? "")).not.toThrow();
  expect(page).not.toContain("<b>");
});

test("report: a lane per node and client, bands of faults over those that they hit", () => {
  const model = reportModel(file);
  const names = model.lanes.map(({ name }) => name);
  expect(names).toEqual([
    "world",
    "n1",
    "n2",
    "n3",
    "database",
    ...plan.clients.map((c) => c.name),
  ]);
  expect(model.faults.map(({ fault, from, to, lanes }) => ({ fault, from, to, lanes }))).toEqual([
    { fault: "split", from: 2_500, to: 5_500, lanes: [1, 2, 3] },
    { fault: "vanish", from: 4_000, to: 4_000, lanes: [5] },
    { fault: "node-crash", from: 6_500, to: 7_500, lanes: [2] },
  ]);
  const ups = model.spans.filter(([lane, , , state]) => lane === 2 && state === "up");
  expect(ups.map(([, from, to, , label]) => [from, to, label])).toEqual([
    [0, 6_500, "process 1"],
    [expect.any(Number), model.endMs, "process 2"],
  ]);
  const activity = model.activity.flat().reduce((sum, count) => sum + count, 0);
  expect(activity).toBe(file.events.length);
});

test("report: message lines end where the message arrived, or nowhere", () => {
  const model = reportModel(file);
  const sent = file.events.filter(({ kind }) => kind === "message-sent").length;
  expect(new Set(model.messages.map((line) => line[5])).size).toBe(sent);
  const delivered = model.messages.filter((line) => line[4] === "delivered");
  const received = file.events.filter(({ kind }) => kind === "message-received").length;
  expect(delivered).toHaveLength(received);
  for (const [, sentAt, , arrivedAt] of model.messages) expect(arrivedAt >= sentAt).toBe(true);
  const cut = file.events.filter(({ kind }) => kind === "message-sent");
  const lost = reportModel({ ...file, events: cut }).messages;
  expect(lost.every((line) => line[4] === "unsettled")).toBe(true);
});

test("report: table operations play back to what each node shows at the end", () => {
  const { texts, operations } = reportModel(file).tables;
  const views = new Map<string, Set<number>>();
  for (const [, node, op, table, owner, , put, gone] of operations) {
    const key = `${texts[node]} ${texts[table]} ${texts[owner]}`;
    if (op === "hide") views.delete(key);
    if (op === "fresh") views.set(key, new Set());
    if (op !== "fresh" && op !== "see") continue;
    for (let index = 0; index < put.length; index += 2) views.get(key)?.add(put[index] ?? -1);
    for (const each of gone) views.get(key)?.delete(each);
  }
  const shown = [...views].filter(([key]) => key.startsWith("n1 sessions")).map(([, keys]) => keys);
  const sessions = file.events.filter(({ kind }) => kind === "sessions-observed");
  const others = sessions.filter(({ place }) => place !== "n1");
  const count = others.reduce((sum, { data }) => sum + ("jids" in data ? data.jids.length : 0), 0);
  expect(shown.reduce((sum, keys) => sum + keys.size, 0)).toBe(count);
});

test("report: the first wrong moment is the event after which the oracle says so", () => {
  const single = planFromSeed(3, { ...profiles.small, nodes: [1], clients: 5 });
  const whole = readTrace(runRecorded(single, "").lines);
  const received = whole.events.findIndex(({ kind }) => kind === "message-received");
  const again = received + Math.trunc((whole.events.length - received) / 2);
  const { at } = whole.events[again] as TraceEvent;
  const twice = { ...(whole.events[received] as TraceEvent), at };
  const events = whole.events.toSpliced(again, 0, twice);
  const { login, id } = twice.data as { login: string; id: string };
  const failures = [{ oracle: "conservation", what: `${login} received ${id} twice` }];
  const moments = firstMoments(single, events, failures);
  expect(moments).toEqual([{ ...failures[0], at, place: twice.place, event: again, is: "first" }]);
  const page = reportPage(
    readTrace([
      traceHeadLine(single, ""),
      ...events.map(traceEventLine),
      traceEndLine({ hash: "0", events: events.length, failures, verdicts: {} }),
    ]),
  );
  expect(page).toContain(`<li data-at="${at}"><span class="bad">conservation</span>`);
  expect(page).toContain("wrong: conservation");
});

test("report: of what never comes, the moment is where it was seen last, and not where it was sent", () => {
  const single = planFromSeed(3, { ...profiles.small, nodes: [1], clients: 5, faults: false });
  const whole = readTrace(runRecorded(single, "").lines).events;
  const ids = whole.flatMap(({ kind, data }) => (kind === "message-received" ? [data.id] : []));
  /** This message reaches its node, and nobody hears of it any more. */
  const without = (id: string): readonly TraceEvent[] =>
    whole.filter(({ kind, data }) => {
      if (kind === "bytes-sent") return !data.data.includes(`'${id}'`);
      return kind !== "message-received" || data.id !== id;
    });
  const judged = (events: readonly TraceEvent[]) => {
    const oracle = makeOracles(single).find(({ name }) => name === "conservation");
    for (const event of events) oracle?.see(event);
    const failed = oracle?.judge().failures ?? [];
    return failed.map((what) => ({ oracle: "conservation", what }));
  };
  // Some are missed by nobody, as one whose sender has gone.
  const id = ids.find((each) => judged(without(each)).length === 1) ?? "";
  const events = without(id);
  const failures = judged(events);
  expect(failures.map(({ what }) => what)).toEqual([expect.stringContaining(id)]);
  const moments = firstMoments(single, events, failures);
  expect(moments).toMatchObject([{ ...failures[0], place: "n1", is: "last seen" }]);
  const { kind, data } = events[moments[0]?.event ?? -1] as TraceEvent;
  expect(kind === "bytes-received" && textFromBytes(data.bytes)).toContain(`'${id}'`);
});

test("report: what is missing and has no name of its own is missing since it was not", () => {
  const single = planFromSeed(3, { ...profiles.small, nodes: [1], clients: 5, faults: false });
  const { events } = readTrace(runRecorded(single, "").lines);
  const last = events.findLast(({ kind }) => kind === "health-asked");
  const once = events.filter((each) => !each.kind.startsWith("health") || each === last);
  const failures = [{ oracle: "health", what: "n1 has left 1 health checks unanswered" }];
  const [moment] = firstMoments(single, once, failures);
  expect(moment).toMatchObject({
    ...failures[0],
    event: once.findIndex((each) => each === last),
    is: "first",
  });
});

test("report: where time stands still, the moment is there, at the place that runs in a circle", () => {
  const single = planFromSeed(3, { ...profiles.small, nodes: [1], clients: 1, faults: false });
  const { lines: cut, outcome } = runRecorded(single, "", {
    compose: (options) => {
      const made = server(options);
      const { loop } = made;
      const deadline = loop.deadline.bind(loop);
      const deliver = loop.deliver.bind(loop);
      let turns = 0;
      loop.deliver = (now, input) => {
        turns += 1;
        deliver(now, input);
      };
      // A timer that is due again as soon as it has been served.
      loop.deadline = () => (turns < 10 ? deadline() : 0);
      return made;
    },
  });
  const [failure] = outcome.failures;
  expect(failure).toMatchObject({ oracle: "uncaught", what: expect.stringContaining("circle") });
  const { events } = readTrace(cut);
  const [moment] = firstMoments(single, events, outcome.failures);
  const at = Number(/events at (\d+) ms/.exec(failure?.what ?? "")?.[1]);
  expect(moment).toMatchObject({ ...failure, at, place: "n1" });
  expect(events[moment?.event ?? -1]?.kind).toBe("time-stood-still");
  expect(reportPage(readTrace(cut))).toContain(
    `<li data-at="${at}"><span class="bad">uncaught</span>`,
  );
}, 30_000);
