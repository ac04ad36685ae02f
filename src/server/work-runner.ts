/**
 * Work runner: drives generators that wait for the world.
 *
 * Each request of a piece of work becomes an effect with a fresh id; the answer with that id takes the
 * work one step on. Work that was dropped (its stream closed) is forgotten: answers that still arrive
 * for it fall on the floor. How many requests may be open is bounded; beyond it work fails as if the
 * database had, so that a flood costs its senders errors and not the node its memory.
 */
import type { Now } from "../base/time.ts";
import type { RequestId } from "../ports/database.ts";
import { QueryFailed, type Work, type WorkAnswer, type WorkRequest } from "../ports/work.ts";
import type { WorkEffect, WorkInput } from "./effects.ts";

/** What becomes of a piece of work. Called at most once each, but for `challenged`. */
export interface WorkEnds<T> {
  done(now: Now, value: T): void;
  /** A query failed and the work did not catch it, or too much was under way. */
  failed(now: Now, error: QueryFailed): void;
  /** The work threw something else: a bug of ours. */
  broken(now: Now, error: unknown): void;
  /** SASL: a challenge for the client; answer by `respond`. */
  challenged?(now: Now, data: Uint8Array): void;
}

/** A piece of work under way. */
export interface Task {
  dropped: boolean;
  readonly resume: (now: Now, answer: WorkAnswer) => void;
}

export class WorkRunner {
  readonly #emit: (effect: WorkEffect) => void;
  readonly #maxOpen: number;
  readonly #open = new Map<RequestId, Task>();
  #lastRequest: RequestId = 0;

  constructor(emit: (effect: WorkEffect) => void, maxOpen: number) {
    this.#emit = emit;
    this.#maxOpen = maxOpen;
  }

  /** Requests that wait for an answer. */
  get openCount(): number {
    return this.#open.size;
  }

  /** `started` is given the task before its first step, which may already end or challenge. */
  start<T>(now: Now, work: Work<T>, ends: WorkEnds<T>, started?: (task: Task) => void): void {
    const task: Task = {
      dropped: false,
      resume: (later, answer) => this.#advance(later, task, work, ends, answer),
    };
    started?.(task);
    this.#advance(now, task, work, ends, undefined);
  }

  /** An answer of the world; late ones of dropped work are ignored. */
  answer(now: Now, input: WorkInput): void {
    const task = this.#open.get(input.request);
    this.#open.delete(input.request);
    if (task === undefined || task.dropped) return;
    task.resume(now, answerOf(input));
  }

  #advance<T>(
    now: Now,
    task: Task,
    work: Work<T>,
    ends: WorkEnds<T>,
    answer: WorkAnswer | undefined,
  ): void {
    let step: IteratorResult<WorkRequest, T>;
    try {
      step = answer === undefined ? work.next() : work.next(answer);
    } catch (error) {
      if (error instanceof QueryFailed) return ends.failed(now, error);
      return ends.broken(now, error);
    }
    if (step.done === true) return ends.done(now, step.value);
    if (step.value.type === "challenge") return ends.challenged?.(now, step.value.data);
    if (this.#open.size >= this.#maxOpen) {
      const detail = `${this.#maxOpen} requests are under way: the maximum`;
      return this.#advance(now, task, work, ends, {
        type: "failed",
        failure: "unavailable",
        detail,
      });
    }
    const request = ++this.#lastRequest;
    this.#open.set(request, task);
    this.#emit({ ...step.value, request });
  }
}

function answerOf(input: WorkInput): WorkAnswer {
  switch (input.type) {
    case "query-answered":
      return { type: "rows", results: input.results };
    case "query-failed":
      return { type: "failed", failure: input.failure, detail: input.detail };
    case "key-derived":
      return { type: "key", key: input.key };
    case "host-resolved":
      return { type: "addresses", addresses: input.addresses };
    case "file-read":
      return { type: "text", text: input.text };
    case "lookup-failed":
      return { type: "failed", failure: "unavailable", detail: input.detail };
  }
}
