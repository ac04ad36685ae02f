/** HTTP: small requests answered whole (health, metrics, host-meta); the body is bounded by the listener. */
import type { RequestId } from "./database.ts";

export interface HttpInput {
  readonly type: "http-requested";
  readonly request: RequestId;
  readonly listener: string;
  readonly method: string;
  /** Path without the query string, e.g. `/healthz`. */
  readonly path: string;
  /** The Host header's name without port, lower case; empty if missing. */
  readonly host: string;
}

export interface HttpEffect {
  readonly type: "respond";
  readonly request: RequestId;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Http {
  respond(
    request: RequestId,
    status: number,
    headers: Readonly<Record<string, string>>,
    body: string,
  ): void;
}
