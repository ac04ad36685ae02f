/**
 * Player: what becomes of the history that a transcript orders?
 *
 * Carries out each block's commands, then lets the world go on until nothing is told any more for a moment.
 * What was told is the block's result: by the second in which it happened, within a second by place, since
 * who was first by a few milliseconds is not what a reviewer judges. All oracles see the whole history.
 */
import { copyBytes } from "../../src/base/bytes.ts";
import { hostsOf } from "../kit/paths.ts";
import { addressOf } from "../addresses.ts";
import type { FaultKind, FaultPlan, Plan } from "../plan.ts";
import { makeOracles } from "../oracles/index.ts";
import type { Failure } from "../run.ts";
import type { TraceEvent } from "../trace.ts";
import {
  parseCommand,
  type Command,
  type LoginOrder,
  type NodeOrder,
  type View,
} from "./command.ts";
import { Narrator, type Told } from "./narrator.ts";
import { planOfStage, Stage, type StagePorts } from "./stage.ts";
import { TranscriptError, type Block, type Line, type Transcript } from "./transcript.ts";
import { viewOf } from "./views.ts";

export interface Played {
  /** Of each block. */
  readonly results: readonly (readonly string[])[];
  readonly hash: string;
  readonly failures: readonly Failure[];
  /** How much the oracles had to judge. */
  readonly judged: number;
}

/** A block ends when nothing has been told for so long, at the latest after … */
const settleMs = 300;
const settleMaxMs = 5_000;
/** `wait until quiet`. */
const quietMs = 15_000;
const quietMaxMs = 180_000;
const loginMaxMs = 40_000;
const untilMaxMs = 120_000;

export function play(transcript: Transcript, ports: StagePorts): Played {
  return new Player(transcript, ports).play();
}

class Player {
  readonly #transcript: Transcript;
  readonly #narrator = new Narrator();
  /** Of the block that is being played. */
  #result: string[] = [];
  #blockAt = 0;
  readonly #events: TraceEvent[] = [];
  readonly #stage: Stage;
  readonly #plan: Plan;
  /** Faults of the plans that have begun; those that have not ended have no end. */
  #faults: readonly FaultPlan[] = [];
  /** When the last fault began or ended: from then on all should become well. */
  #troubleAt = 0;
  #awaited: ((event: TraceEvent) => boolean) | undefined;

  constructor(transcript: Transcript, ports: StagePorts) {
    this.#transcript = transcript;
    const commands = transcript.blocks.flatMap(({ commands: lines }) => lines.map(parseCommand));
    const [cluster] = commands;
    if (cluster?.type !== "cluster") {
      throw new TranscriptError("The first command of a transcript is `cluster`");
    }
    const logins = commands.flatMap((command) => (command.type === "login" ? command.logins : []));
    this.#plan = planOfStage(cluster.nodes, logins, cluster.options);
    this.#stage = new Stage(this.#plan, ports, [
      (event) => this.#narrator.see(event),
      (event) => this.#events.push(kept(event)),
      (event) => {
        if (this.#awaited?.(event) === true) this.#awaited = undefined;
      },
    ]);
  }

  play(): Played {
    this.#stage.trace.record("world", "run-started", { version: 1, seed: this.#plan.seed });
    const results = this.#transcript.blocks.map((block) => this.#block(block));
    this.#stage.observe();
    return { results, hash: this.#stage.trace.hash(), ...this.#judge() };
  }

  #block({ commands }: Block): readonly string[] {
    if (commands.length === 0) return [];
    this.#blockAt = this.#stage.world.now();
    this.#result = [];
    for (const line of commands) this.#carryOut(line);
    this.#settle(settleMs, settleMaxMs);
    this.#writeTold();
    return this.#result;
  }

  #writeTold(): void {
    const told = this.#narrator.take();
    this.#result.push(...linesOf(told, this.#blockAt, [...this.#stage.nodes.keys()]));
  }

  #carryOut(line: Line): void {
    const command = parseCommand(line);
    const problem = this.#problem(command);
    if (problem !== undefined) throw new TranscriptError(`Line ${line.number}: ${problem}`);
    this.#act(command, line);
  }

  /** Names that nobody has. */
  #problem(command: Command): string | undefined {
    if (command.type === "begin") return this.#strangerIn(command.target);
    if (command.type === "end" && this.#underWay(command.fault, command.target) === undefined) {
      return `no ${command.fault} of ${command.target} has begun`;
    }
    const names =
      command.type === "node" || command.type === "install"
        ? command.nodes.filter((name) => name !== "all")
        : command.type === "login"
          ? command.logins.map(({ node }) => node)
          : "node" in command && command.node !== ""
            ? [command.node]
            : [];
    const unknown = names.find((name) => !this.#stage.nodes.has(name));
    if (unknown !== undefined) return `there is no node "${unknown}"`;
    if (!("client" in command)) return undefined;
    const client = this.#stage.client(command.client);
    if (client === undefined) return `nobody has logged in as "${command.client}"`;
    return undefined;
  }

  #strangerIn(target: string): string | undefined {
    const { nodes, clients } = this.#stage;
    const unknown = hostsOf(target).find(
      (name) => !nodes.has(name) && !clients.has(name) && name !== "all" && name !== "database",
    );
    return unknown === undefined ? undefined : `there is no node or client "${unknown}"`;
  }

  #act(command: Command, { number, text }: Line): void {
    const { world, database } = this.#stage;
    switch (command.type) {
      case "cluster":
        return;
      case "node":
        return this.#order(command.order, command.nodes);
      case "clock":
        return this.#stage.jumpClock(command.node, command.by);
      case "login":
        return this.#logIn(command.logins);
      case "say":
      case "ping":
      case "ask":
      case "presence":
      case "client":
        return this.#speak(command);
      case "split":
        return this.#cut(pairsBetween(command.groups));
      case "cut":
        return this.#cut([[command.from, command.to]]);
      case "heal":
        this.#troubleAt = world.now();
        for (const row of this.#faults) if (row.endAt === Infinity) this.#end(row);
        return;
      case "begin":
        return this.#begin(command.fault, command.target, command.amount);
      case "end":
        return this.#end(this.#underWay(command.fault, command.target));
      case "install":
        for (const name of this.#named(command.nodes)) {
          this.#stage.nodes.get(name)?.install(command.release);
        }
        return;
      case "database":
        this.#troubleAt = world.now();
        return database.setDown(!command.up);
      case "wait":
        return world.runUntil(world.now() + command.milliseconds);
      case "quiet":
        return this.#settle(quietMs, quietMaxMs);
      case "until":
        return this.#until(command, `Line ${number}: "${text}"`);
      case "show":
        return this.#show(command.view, command.node);
    }
  }

  #show(view: View, node: string): void {
    this.#settle(settleMs, settleMaxMs);
    this.#writeTold();
    const names = node === "" ? [...this.#stage.nodes.keys()] : [node];
    for (const name of names) {
      for (const line of viewOf(this.#stage, name, view)) {
        this.#result.push(`${view} ${name}  ${this.#narrator.short(line)}`);
      }
    }
  }

  #begin(kind: FaultKind, target: string, amount: number): void {
    const now = this.#stage.world.now();
    const row: FaultPlan = { kind, target, startAt: now, endAt: Infinity, amount };
    this.#troubleAt = now;
    this.#faults = [...this.#faults, row];
    this.#stage.begin(row);
  }

  #underWay(kind: FaultKind, target: string): FaultPlan | undefined {
    return this.#faults.find(
      (row) => row.kind === kind && row.target === target && row.endAt === Infinity,
    );
  }

  #end(row: FaultPlan | undefined): void {
    if (row === undefined) return;
    const endAt = this.#stage.world.now();
    this.#troubleAt = endAt;
    this.#faults = this.#faults.map((each) => (each === row ? { ...row, endAt } : each));
    this.#stage.end(row);
  }

  #named(names: readonly string[]): readonly string[] {
    return names[0] === "all" ? [...this.#stage.nodes.keys()] : names;
  }

  #order(order: NodeOrder, names: readonly string[]): void {
    this.#troubleAt = this.#stage.world.now();
    for (const name of this.#named(names)) {
      const node = this.#stage.nodes.get(name);
      if (order === "start") node?.start();
      else if (order === "crash") node?.kill();
      else if (order === "lose-power") node?.powerOff();
      else if (order === "stop") node?.stop(false);
      else if (order === "pause") node?.pause();
      else if (order === "resume") node?.resume();
      else {
        node?.kill();
        node?.start();
      }
    }
  }

  #logIn(orders: readonly LoginOrder[]): void {
    const { world } = this.#stage;
    const clients = orders.map((order) => this.#stage.logIn(order));
    const end = world.now() + loginMaxMs;
    const pending = (): boolean =>
      clients.some(({ state }) => state !== "online" && state !== "ended");
    while (pending() && world.now() < end) world.runUntil(world.now() + 1);
    for (const client of clients) {
      if (client.state === "online" || client.state === "ended") continue;
      this.#narrator.note(world.now(), nameOf(client.login), "gives its login up");
      client.abort();
    }
  }

  #speak(command: Extract<Command, { client: string }>): void {
    const { client: name } = command;
    const client = this.#stage.client(name);
    if (client?.state !== "online") {
      return this.#narrator.note(this.#stage.world.now(), name, `is not online to ${command.type}`);
    }
    switch (command.type) {
      case "say":
        this.#narrator.saying(command.text);
        return client.say.message(jidOf(command.to), 0);
      case "ping":
        return client.say.ping(jidOf(command.to));
      case "ask":
        return client.say.unknown(jidOf(command.to));
      case "presence":
        return client.say.presence(command.available, command.priority);
      case "client":
        if (command.order === "logout") client.leave();
        else if (command.order === "reset") client.abort();
        else client.vanish();
    }
  }

  #cut(paths: readonly (readonly [from: string, to: string])[]): void {
    for (const [from, to] of paths) this.#begin("one-way-cut", `${from}>${to}`, 0);
  }

  #until({ node, kind, text }: { node: string; kind: string; text: string }, line: string): void {
    const { world } = this.#stage;
    const came = new Set<string>();
    this.#awaited = (event) => {
      if (event.place === node) came.add(event.kind);
      return (
        event.place === node && event.kind === kind && JSON.stringify(event.data).includes(text)
      );
    };
    const end = world.now() + untilMaxMs;
    while (this.#awaited !== undefined && world.now() < end) world.runUntil(world.now() + 1);
    if (this.#awaited === undefined) return;
    this.#awaited = undefined;
    const others = [...came].toSorted().join(", ");
    throw new TranscriptError(
      `${line} did not come in ${untilMaxMs} ms; what came there: ${others === "" ? "nothing" : others}`,
    );
  }

  #settle(quiet: number, most: number): void {
    const { world } = this.#stage;
    const from = world.now();
    while (world.now() < from + most) {
      const last = Math.max(from, this.#narrator.lastAt ?? from);
      if (world.now() >= last + quiet) return;
      world.runUntil(world.now() + 50);
    }
  }

  /** The oracles are shown when the last trouble was over, which nobody knew before. */
  #judge(): Pick<Played, "failures" | "judged"> {
    const duration = { setUp: 0, safety: this.#troubleAt, liveness: 0 };
    const failures: Failure[] = [];
    let judged = 0;
    const oracles = makeOracles({ ...this.#plan, faults: this.#faults, duration });
    for (const event of this.#events) for (const oracle of oracles) oracle.see(event);
    for (const oracle of oracles) {
      const verdict = oracle.judge();
      judged += verdict.judged;
      for (const what of verdict.failures) failures.push({ oracle: oracle.name, what });
    }
    return { failures, judged };
  }
}

/** `alice/phone` is alice@host/phone. */
function jidOf(short: string): string {
  if (short === "" || short.includes("@")) return short;
  const [user = "", resource] = short.split(/\/(.*)/);
  return addressOf(user, resource);
}

function nameOf(login: string): string {
  return login.slice(0, login.lastIndexOf("#"));
}

function pairsBetween(
  groups: readonly (readonly string[])[],
): readonly (readonly [from: string, to: string])[] {
  return groups.flatMap((group) =>
    groups
      .filter((other) => other !== group)
      .flatMap((other) => group.flatMap((from) => other.map((to) => [from, to] as const))),
  );
}

/** Bytes belong to whoever made the event, and only for its time. */
function kept(event: TraceEvent): TraceEvent {
  if (event.kind !== "bytes-received") return event;
  return { ...event, data: { ...event.data, bytes: copyBytes(event.data.bytes) } };
}

function linesOf(told: readonly Told[], from: number, nodes: readonly string[]): readonly string[] {
  const second = ({ at }: Told): number => Math.trunc((at - from) / 1_000);
  const rank = ({ place }: Told): string => (nodes.includes(place) ? `0 ${place}` : `1 ${place}`);
  const width = told.reduce((most, { place }) => Math.max(most, place.length), 0);
  return told
    .map((each, index) => ({ each, index }))
    .toSorted((a, b) => {
      if (second(a.each) !== second(b.each)) return second(a.each) - second(b.each);
      const [one, other] = [rank(a.each), rank(b.each)];
      return one === other ? a.index - b.index : one < other ? -1 : 1;
    })
    .map(({ each }) => {
      const time = `+${second(each)}s`.padStart(5);
      return `${time}  ${each.place.padEnd(width)}  ${each.text}`;
    });
}
