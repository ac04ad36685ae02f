/** Modes: the four things that clients do to a server here. */
import { setTimeout as sleep } from "node:timers/promises";
import { residentBytes } from "../processes.ts";
import { Connection } from "./connection.ts";
import { Flow, readArrivals } from "./flow.ts";
import { domain, resource, user, type Faults, type LoadResult, type LoadSpec } from "./spec.ts";
import { nowMicros, Window } from "./window.ts";

/** Logins in progress at once. */
const concurrency = 50;
const drainMaxMs = 10_000;

type OnText = (connection: Connection, text: string) => void;
type Mode = (spec: LoadSpec) => Promise<LoadResult>;

export const modes: Readonly<Record<LoadSpec["mode"], Mode>> = { messages, pings, logins, idle };

const noFaults = (): Faults => ({
  lost: 0,
  duplicated: 0,
  reordered: 0,
  misdelivered: 0,
  closed: 0,
});

async function messages(spec: LoadSpec): Promise<LoadResult> {
  const faults = noFaults();
  const window = new Window([...spec.pids, ...spec.databasePids]);
  const flows = Array.from({ length: spec.clients }, (_, index) => {
    return new Flow(index, `${user(index ^ 1)}@${domain}/${resource}`, spec.bodyBytes);
  });
  let connections: readonly Connection[] = [];
  let stopping = false;
  const send = (index: number, at: number): void => {
    const flow = flows[index];
    if (flow !== undefined) connections[index]?.send(flow.message(at));
  };
  connections = await openAll(spec, faults, (connection, text) => {
    const now = nowMicros();
    connection.carry = readArrivals(connection.carry + text, ({ sender, number, sentAtMicros }) => {
      if (sender !== (connection.index ^ 1)) {
        faults.misdelivered += 1;
        return;
      }
      flows[sender]?.arrived(number, faults);
      window.count(now - sentAtMicros);
      if (spec.rate === 0 && !stopping) send(sender, now);
    });
  });
  const late = { maxMicros: 0 };
  if (spec.rate === 0) {
    for (const { index } of connections) {
      for (let i = 0; i < spec.window; i++) send(index, nowMicros());
    }
  } else {
    void openLoop(spec, send, () => stopping, window, late);
  }
  await measure(spec, window);
  stopping = true;
  const outstanding = (): number => flows.reduce((sum, flow) => sum + flow.lost, 0);
  for (let waited = 0; outstanding() > 0 && waited < drainMaxMs; waited += 20) await sleep(20);
  faults.lost = outstanding();
  await Promise.all(connections.map((each) => each.end()));
  return window.result(faults, { senderLateMs: late.maxMicros / 1000 });
}

/** Sends what is due by the clock, whatever has arrived: a slow server cannot slow its senders. */
async function openLoop(
  spec: LoadSpec,
  send: (index: number, at: number) => void,
  isOver: () => boolean,
  window: Window,
  late: { maxMicros: number },
): Promise<void> {
  const every = 1e6 / spec.rate;
  let dueAt = nowMicros();
  let next = 0;
  while (!isOver()) {
    const now = nowMicros();
    if (window.isOpen) late.maxMicros = Math.max(late.maxMicros, now - dueAt);
    for (; dueAt <= now; dueAt += every) send(next++ % spec.clients, now);
    await sleep(1);
  }
}

async function pings(spec: LoadSpec): Promise<LoadResult> {
  const faults = noFaults();
  const window = new Window([...spec.pids, ...spec.databasePids]);
  let stopping = false;
  let sent = 0;
  let answered = 0;
  const ping = (connection: Connection): void => {
    sent += 1;
    connection.send(
      `<iq type='get' to='${domain}' id='p${String(nowMicros()).padStart(12, "0")}'><ping xmlns='urn:xmpp:ping'/></iq>`,
    );
  };
  const idOf = / id=['"]p(\d{12})['"][^>]*>/g;
  const connections = await openAll(spec, faults, (connection, text) => {
    const now = nowMicros();
    const all = connection.carry + text;
    let understood = 0;
    idOf.lastIndex = 0;
    for (let found = idOf.exec(all); found !== null; found = idOf.exec(all)) {
      understood = idOf.lastIndex;
      answered += 1;
      window.count(now - Number(found[1]));
      if (!stopping) ping(connection);
    }
    connection.carry = all.slice(Math.max(understood, all.length - 500));
  });
  for (const connection of connections) {
    for (let i = 0; i < spec.window; i++) ping(connection);
  }
  await measure(spec, window);
  stopping = true;
  for (let waited = 0; answered < sent && waited < drainMaxMs; waited += 20) await sleep(20);
  faults.lost = sent - answered;
  await Promise.all(connections.map((each) => each.end()));
  return window.result(faults);
}

async function logins(spec: LoadSpec): Promise<LoadResult> {
  const faults = noFaults();
  const window = new Window([...spec.pids, ...spec.databasePids]);
  let next = 0;
  const logInOften = async (): Promise<void> => {
    while (next < spec.logins) {
      const index = next++ % spec.clients;
      const began = nowMicros();
      try {
        const connection = open(spec, index, faults, () => undefined);
        await connection.loggedIn;
        window.count(nowMicros() - began);
        await connection.end();
      } catch {
        faults.lost += 1;
      }
    }
  };
  window.open();
  await Promise.all(Array.from({ length: concurrency }, logInOften));
  window.close();
  return window.result(faults);
}

async function idle(spec: LoadSpec): Promise<LoadResult> {
  const faults = noFaults();
  const window = new Window([...spec.pids, ...spec.databasePids]);
  const residentBytesBefore = residentBytes(spec.pids);
  const connections = await openAll(spec, faults, () => undefined);
  await sleep(spec.warmupMs);
  window.open();
  await sleep(spec.durationMs);
  window.close();
  window.operations = connections.length;
  const grown = residentBytes(spec.pids) - residentBytesBefore;
  const result = window.result(faults, {
    residentBytesBefore,
    residentBytesPerConnection: grown / connections.length,
  });
  await Promise.all(connections.map((each) => each.end()));
  return result;
}

async function measure(spec: LoadSpec, window: Window): Promise<void> {
  await sleep(spec.warmupMs);
  window.open();
  await sleep(spec.durationMs);
  window.close();
}

function open(spec: LoadSpec, index: number, faults: Faults, onText: OnText): Connection {
  const { ports, tls } = spec;
  const port = ports[index % ports.length] ?? 0;
  const onClosed = (): void => {
    faults.closed += 1;
  };
  return new Connection({ index, port, tls, onText, onClosed });
}

/** Logs all clients in and makes them available, a few at a time. */
async function openAll(spec: LoadSpec, faults: Faults, onText: OnText): Promise<Connection[]> {
  const connections: Connection[] = [];
  let next = 0;
  const openSome = async (): Promise<void> => {
    while (next < spec.clients) {
      const connection = open(spec, next++, faults, onText);
      connections[connection.index] = connection;
      await connection.loggedIn;
      connection.send("<presence/>");
    }
  };
  await Promise.all(Array.from({ length: concurrency }, openSome));
  return connections;
}
