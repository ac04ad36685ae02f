/**
 * Simulated HTTP: requests to one process that wait for the core's answer.
 *
 * Whoever asks is on the node's own machine, as a supervisor's probe is: no network lies between, and
 * a process that stands still answers when it wakes. Asking is a turn of the core like any other input.
 */
import type { RequestId } from "../../src/ports/database.ts";
import {
  httpHostOf,
  httpOutstandingMax,
  httpPathOf,
  httpTooMany,
  type Http,
  type HttpInput,
} from "../../src/ports/http.ts";

export interface HttpAsked {
  readonly listener: string;
  readonly method: string;
  /** Path, and perhaps a query string. */
  readonly target: string;
  /** The Host header. */
  readonly host: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type HttpAnswered = (answer: HttpAnswer) => void;

interface Outstanding {
  readonly method: string;
  readonly answered: HttpAnswered;
}

export class SimulatedHttp implements Http {
  readonly #deliver: (input: HttpInput) => void;
  readonly #outstanding = new Map<RequestId, Outstanding>();
  #lastId = 0;

  constructor(deliver: (input: HttpInput) => void) {
    this.#deliver = deliver;
  }

  /** Calls `answered` once or never. The result is for who will not wait any longer. */
  ask({ listener, method, target, host }: HttpAsked, answered: HttpAnswered): () => void {
    if (this.#outstanding.size >= httpOutstandingMax) {
      answered(httpTooMany);
      return () => undefined;
    }
    const request = ++this.#lastId;
    this.#outstanding.set(request, { method, answered });
    const path = httpPathOf(target);
    const type = "http-requested";
    this.#deliver({ type, request, listener, method, path, host: httpHostOf(host) });
    return () => void this.#outstanding.delete(request);
  }

  respond(
    request: RequestId,
    status: number,
    headers: Readonly<Record<string, string>>,
    body: string,
  ): void {
    const waiting = this.#outstanding.get(request);
    if (waiting === undefined) return;
    this.#outstanding.delete(request);
    waiting.answered({ status, headers, body: waiting.method === "HEAD" ? "" : body });
  }
}
