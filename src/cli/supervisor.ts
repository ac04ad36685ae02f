/**
 * Supervisor: several nodes on this machine, each a process, started together and kept running.
 *
 *     starting --[all started]--> running --stop--> stopping --[all ended]--> stopped
 *         \--[one failed]----------------------------^
 *
 * A member that ends while all should run is started again, at once at first and then less and less
 * often. A member that does not stop in time is killed. No member outlives us: each watches the channel.
 */
import type { ChildProcess } from "node:child_process";
import { mergeMetrics } from "../runtime/metrics.ts";
import { Failure } from "./failure.ts";
import type { FromMember, MemberPlan, ToMember } from "./member-messages.ts";

export interface SupervisorOptions {
  readonly plans: readonly MemberPlan[];
  readonly fork: () => ChildProcess;
  /** Milliseconds that a member has to stop, its own timeout included. */
  readonly stopTimeout: number;
  /** What happens to members after the start. */
  readonly onEvent: (event: MemberEvent) => void;
}

export interface MemberEvent {
  /** Of a log line. */
  readonly event: "member-ended" | "member-back" | "member-cannot-start";
  readonly member: string;
  /** A line for people. */
  readonly text: string;
}

interface Member {
  readonly plan: MemberPlan;
  child: ChildProcess;
  startedAt: number;
  /** Starts in a row that did not last. */
  restarts: number;
  listening: ReadonlyMap<string, number> | undefined;
  timer: NodeJS.Timeout | undefined;
}

interface Gathering {
  readonly for: Member;
  readonly request: number;
  readonly texts: string[];
  awaited: number;
  readonly timer: NodeJS.Timeout;
}

const firstPauseMs = 500;
const longestPauseMs = 30_000;
/** A member that ran for so long is not failing in a row. */
const lastedMs = 60_000;
const metricsLimitMs = 2_000;

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #members: Member[];
  readonly #gatherings = new Map<number, Gathering>();
  #lastGathering = 0;
  #state: "starting" | "running" | "stopping" = "starting";
  #exitCode = 0;
  #started: (error?: Failure) => void = () => undefined;
  #ended: (code: number) => void = () => undefined;
  /** Resolves to the exit code when the last member has ended. */
  readonly stopped = new Promise<number>((resolve) => (this.#ended = resolve));

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#members = options.plans.map((plan) => ({
      plan,
      child: options.fork(),
      startedAt: performance.now(),
      restarts: 0,
      listening: undefined,
      timer: undefined,
    }));
  }

  /** Process ids, by the names of the members. */
  get processes(): ReadonlyMap<string, number | undefined> {
    return new Map(this.#members.map(({ plan, child }) => [plan.name, child.pid]));
  }

  /** Resolves when all have started; rejects with what the first one that cannot says, all ended. */
  async start(): Promise<void> {
    const outcome = new Promise<Failure | undefined>((resolve) => (this.#started = resolve));
    for (const member of this.#members) this.#run(member);
    const failure = await outcome;
    if (failure === undefined) return;
    await this.stopped;
    throw failure;
  }

  /** A second call ends all at once. */
  stop(): void {
    if (this.#state === "stopping") {
      this.#exitCode = 1;
      for (const { child } of this.#members) child.kill("SIGKILL");
      return;
    }
    this.#state = "stopping";
    this.#started(new Failure("Stopped before all nodes had started."));
    for (const member of this.#members) {
      clearTimeout(member.timer);
      this.#tell(member, { type: "stop" });
      if (isOver(member.child)) continue;
      member.timer = setTimeout(() => {
        this.#exitCode = 1;
        member.child.kill("SIGKILL");
      }, this.#options.stopTimeout);
    }
    this.#finish();
  }

  /** All read their certificates again. */
  reload(): void {
    for (const member of this.#members) this.#tell(member, { type: "reload" });
  }

  #run(member: Member): void {
    const { child } = member;
    member.startedAt = performance.now();
    child.on("message", (message) => this.#take(member, message as FromMember));
    child.once("error", (error) => this.#say("member-cannot-start", member, error.message));
    child.once("exit", (code, signal) => this.#onExit(member, code, signal));
  }

  #take(member: Member, message: FromMember): void {
    switch (message.type) {
      case "ready-to-start":
        return this.#tell(
          member,
          this.#state === "stopping" ? { type: "stop" } : { type: "start", plan: member.plan },
        );
      case "started":
        return this.#onStarted(member, new Map(message.listening));
      case "failed":
        if (this.#state === "starting") return this.#giveUp(new Failure(message.message));
        if (this.#state === "stopping") return; // the first that could not start has said why
        return this.#say("member-cannot-start", member, `cannot start: ${message.message}`);
      case "gather-metrics":
        return this.#gather(member, message.request);
      case "metrics-told":
        return this.#gathered(message.request, message.text);
    }
  }

  #onStarted(member: Member, listening: ReadonlyMap<string, number>): void {
    const again = member.listening !== undefined;
    member.listening = listening;
    if (again) this.#say("member-back", member, `runs again (process ${member.child.pid}).`);
    if (this.#state !== "starting") return;
    if (!this.#members.every((each) => each.listening !== undefined)) return;
    this.#state = "running";
    this.#started();
  }

  #onExit(member: Member, code: number | null, signal: NodeJS.Signals | null): void {
    clearTimeout(member.timer);
    if (this.#state === "stopping") {
      if (code !== 0) this.#exitCode = 1;
      return this.#finish();
    }
    const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
    if (this.#state === "starting") {
      return this.#giveUp(new Failure(`${member.plan.name} ended ${how} before it had started.`));
    }
    if (performance.now() - member.startedAt > lastedMs) member.restarts = 0;
    const pause = Math.min(firstPauseMs * 2 ** Math.min(member.restarts, 10), longestPauseMs);
    member.restarts += 1;
    const again = `ended ${how}; it starts again in ${pause / 1_000} s.`;
    this.#say("member-ended", member, again);
    member.timer = setTimeout(() => {
      member.child = this.#options.fork();
      this.#run(member);
    }, pause);
  }

  /** One cannot start: none shall run. */
  #giveUp(failure: Failure): void {
    this.#started(failure);
    this.#exitCode = 1;
    this.stop();
  }

  #finish(): void {
    if (this.#members.some(({ child }) => !isOver(child))) return;
    for (const { timer } of this.#gatherings.values()) clearTimeout(timer);
    this.#ended(this.#exitCode);
  }

  #gather(member: Member, request: number): void {
    const id = (this.#lastGathering += 1);
    const asked = this.#members.filter(
      (each) => each.listening !== undefined && !isOver(each.child),
    );
    const timer = setTimeout(() => this.#answer(id), metricsLimitMs);
    this.#gatherings.set(id, { for: member, request, texts: [], awaited: asked.length, timer });
    for (const each of asked) this.#tell(each, { type: "tell-metrics", request: id });
  }

  #gathered(id: number, text: string): void {
    const gathering = this.#gatherings.get(id);
    if (gathering === undefined) return;
    gathering.texts.push(text);
    gathering.awaited -= 1;
    if (gathering.awaited === 0) this.#answer(id);
  }

  #answer(id: number): void {
    const gathering = this.#gatherings.get(id);
    if (gathering === undefined) return;
    this.#gatherings.delete(id);
    clearTimeout(gathering.timer);
    const text = mergeMetrics(gathering.texts);
    this.#tell(gathering.for, { type: "metrics-gathered", request: gathering.request, text });
  }

  #say(event: MemberEvent["event"], { plan }: Member, what: string): void {
    this.#options.onEvent({ event, member: plan.name, text: `${plan.name} ${what}` });
  }

  #tell({ child }: Member, message: ToMember): void {
    if (child.connected) child.send(message, () => undefined); // one that is gone tells us by its exit
  }
}

const isOver = (child: ChildProcess): boolean =>
  child.exitCode !== null || child.signalCode !== null;
