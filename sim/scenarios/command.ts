/**
 * Command: what does one line of a transcript order?
 *
 *     cluster n1 n2 n3 [discovery=sql] [beat=1s] [silence=5s] [grace=5s] [chunk=200] [seed=1] …
 *     start all | n1 n2                     crash n1          lose-power n1        restart n1
 *     stop n1                               pause n1          resume n1            clock n1 -1h
 *     login alice/phone on n1 [as NAME] [priority 5], bob/desk on n2
 *     say alice/phone to bob: text          ping alice/phone [to bob/desk]         ask alice/phone [to bob]
 *     presence alice/phone priority 5 | unavailable
 *     logout alice/phone                    reset alice/phone                      vanish alice/phone
 *     split n1 | n2 n3                      cut n1 > n2       heal
 *     database down | up
 *     begin dns-down all                    begin node-slow n1 100ms               end node-slow n1
 *     install release 2 on n1 n2
 *     wait 5s | until quiet                 until n3 table-loading [text]
 *     show directory | links | tables | ready | status [n1]
 *
 * `login` waits for its outcome, `until` for an event of the trace at that node; all others take no time.
 */
import { faultKinds } from "../faults/index.ts";
import { discoveryKinds, type DiscoveryKind, type FaultKind } from "../plan.ts";
import { releases, type Release } from "../releases/releases.ts";
import { TranscriptError, type Line } from "./transcript.ts";

export interface LoginOrder {
  /** What the transcript calls it: user/resource, if it says nothing else. */
  readonly name: string;
  readonly user: string;
  readonly resource: string;
  readonly node: string;
  readonly priority: number;
}

export type NodeOrder = "start" | "crash" | "lose-power" | "restart" | "stop" | "pause" | "resume";
export type ClientOrder = "logout" | "reset" | "vanish";
export const views = ["directory", "links", "tables", "ready", "status"] as const;
export type View = (typeof views)[number];

export type Command =
  | { readonly type: "cluster"; readonly nodes: readonly string[]; readonly options: Options }
  | { readonly type: "node"; readonly order: NodeOrder; readonly nodes: readonly string[] }
  | { readonly type: "clock"; readonly node: string; readonly by: number }
  | { readonly type: "login"; readonly logins: readonly LoginOrder[] }
  | { readonly type: "say"; readonly client: string; readonly to: string; readonly text: string }
  | { readonly type: "ping" | "ask"; readonly client: string; readonly to: string }
  | {
      readonly type: "presence";
      readonly client: string;
      readonly available: boolean;
      readonly priority: number;
    }
  | { readonly type: "client"; readonly order: ClientOrder; readonly client: string }
  | { readonly type: "split"; readonly groups: readonly (readonly string[])[] }
  | { readonly type: "cut"; readonly from: string; readonly to: string }
  | { readonly type: "heal" }
  | { readonly type: "database"; readonly up: boolean }
  | {
      readonly type: "begin";
      readonly fault: FaultKind;
      readonly target: string;
      readonly amount: number;
    }
  | { readonly type: "end"; readonly fault: FaultKind; readonly target: string }
  | { readonly type: "install"; readonly release: Release; readonly nodes: readonly string[] }
  | { readonly type: "wait"; readonly milliseconds: number }
  | { readonly type: "quiet" }
  | { readonly type: "until"; readonly node: string; readonly kind: string; readonly text: string }
  | { readonly type: "show"; readonly view: View; readonly node: string };

export interface Options {
  readonly discovery: DiscoveryKind;
  readonly beat: number;
  readonly silence: number;
  readonly grace: number;
  readonly expire: number;
  /** Bounds of links and tables, in bytes. */
  readonly chunk: number;
  readonly window: number;
  readonly fragment: number;
  readonly log: number;
  readonly seed: number;
}

export function parseCommand({ number, text }: Line): Command {
  const [word = "", ...rest] = text.split(/\s+/);
  const parser = parsers[word];
  const command = parser?.(rest.join(" "), rest);
  if (command !== undefined) return command;
  const hint =
    parser === undefined
      ? `commands are ${Object.keys(parsers).join(", ")}; a remark begins with #`
      : "docs/simulator.md, Histories by hand, has its form";
  throw new TranscriptError(`Line ${number}: cannot read "${text}" (${hint})`);
}

type Parser = (text: string, words: readonly string[]) => Command | undefined;

const parsers: Readonly<Record<string, Parser>> = {
  cluster: (_text, words) => ({
    type: "cluster",
    nodes: words.filter((word) => !word.includes("=")),
    options: optionsOf(words),
  }),
  ...Object.fromEntries(
    (["start", "crash", "lose-power", "restart", "stop", "pause", "resume"] as const).map(
      (order) => [
        order,
        (_: string, nodes: readonly string[]) =>
          nodes.length === 0 ? undefined : { type: "node", order, nodes },
      ],
    ),
  ),
  ...Object.fromEntries(
    (["logout", "reset", "vanish"] as const).map((order) => [
      order,
      (_: string, [client = ""]: readonly string[]) => ({ type: "client", order, client }),
    ]),
  ),
  clock: (_text, [node = "", by = ""]) =>
    within(duration(by), (ms) => ({ type: "clock", node, by: ms })),
  login: (text) => {
    const logins = text.split(",").map(loginOf);
    return logins.every((login) => login !== undefined) ? { type: "login", logins } : undefined;
  },
  say: (text) => {
    const [, client, to, said] = /^(\S+) to (\S+): (.+)$/.exec(text) ?? [];
    if (client === undefined || to === undefined || said === undefined) return undefined;
    return { type: "say", client, to, text: said };
  },
  ping: (text) => iqOf("ping", text),
  ask: (text) => iqOf("ask", text),
  presence: (text) => {
    const [, client, priority] = /^(\S+) (?:unavailable|priority (-?\d+))$/.exec(text) ?? [];
    if (client === undefined) return undefined;
    const available = priority !== undefined;
    return { type: "presence", client, available, priority: Number(priority ?? 0) };
  },
  split: (text) => ({
    type: "split",
    groups: text.split("|").map((group) => group.trim().split(/\s+/)),
  }),
  cut: (_text, [from, arrow, to]) =>
    from === undefined || to === undefined || arrow !== ">" ? undefined : { type: "cut", from, to },
  heal: () => ({ type: "heal" }),
  database: (text) =>
    text === "up" || text === "down" ? { type: "database", up: text === "up" } : undefined,
  begin: (_text, [word, target, amount]) => {
    const fault = faultKinds.find((kind) => kind === word);
    const much = amount === undefined ? 0 : (duration(amount) ?? Number(amount));
    if (fault === undefined || target === undefined || Number.isNaN(much)) return undefined;
    return { type: "begin", fault, target, amount: much };
  },
  end: (_text, [word, target]) => {
    const fault = faultKinds.find((kind) => kind === word);
    return fault === undefined || target === undefined ? undefined : { type: "end", fault, target };
  },
  install: (text) => {
    const [, number, names = ""] = /^release (\d+) on (.+)$/.exec(text) ?? [];
    return within(
      releases.find((each) => each === Number(number)),
      (release) => ({ type: "install", release, nodes: names.split(" ") }),
    );
  },
  wait: (text) =>
    text === "until quiet"
      ? { type: "quiet" }
      : within(duration(text), (milliseconds) => ({ type: "wait", milliseconds })),
  until: (_text, [node, kind, ...words]) =>
    node === undefined || kind === undefined
      ? undefined
      : { type: "until", node, kind, text: words.join(" ") },
  show: (_text, [word, node = ""]) =>
    within(
      views.find((each) => each === word),
      (view) => ({ type: "show", view, node }),
    ),
};

function loginOf(text: string): LoginOrder | undefined {
  const pattern = /^(\S+?)(?:\/(\S*))? on (\S+)(?: as (\S+))?(?: priority (-?\d+))?$/;
  const [, user, resource = "", node, name, priority] = pattern.exec(text.trim()) ?? [];
  if (user === undefined || node === undefined) return undefined;
  const called = name ?? (resource === "" ? user : `${user}/${resource}`);
  return { name: called, user, resource, node, priority: Number(priority ?? 0) };
}

function iqOf(type: "ping" | "ask", text: string): Command | undefined {
  const [, client, to = ""] = /^(\S+)(?: to (\S+))?$/.exec(text) ?? [];
  return client === undefined ? undefined : { type, client, to };
}

function optionsOf(words: readonly string[]): Options {
  const values = new Map(
    words.filter((word) => word.includes("=")).map((word) => word.split("=") as [string, string]),
  );
  const time = (name: string, otherwise: number): number =>
    duration(values.get(name) ?? "") ?? otherwise;
  const bound = (name: string, otherwise: number): number => Number(values.get(name) ?? otherwise);
  return {
    discovery: discoveryKinds.find((kind) => kind === values.get("discovery")) ?? "static",
    beat: time("beat", 1_000),
    silence: time("silence", 5_000),
    grace: time("grace", 5_000),
    expire: time("expire", 3_600_000),
    chunk: bound("chunk", 65_536),
    window: bound("window", 1_048_576),
    fragment: bound("fragment", 65_536),
    log: bound("log", 16_384),
    seed: bound("seed", 1),
  };
}

const units: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

function duration(text: string): number | undefined {
  const [, amount, unit = ""] = /^(-?\d+)(ms|s|m|h)$/.exec(text) ?? [];
  return amount === undefined ? undefined : Number(amount) * (units[unit] ?? 1);
}

function within<T, R>(value: T | undefined, act: (value: T) => R): R | undefined {
  return value === undefined ? undefined : act(value);
}
