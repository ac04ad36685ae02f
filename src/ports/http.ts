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
  /** An answer to who has left, or was answered before, is dropped. A HEAD request's has no body. */
  respond(
    request: RequestId,
    status: number,
    headers: Readonly<Record<string, string>>,
    body: string,
  ): void;
}

/** More requests than this at one time are answered with 503, and the core is not told of them. */
export const httpOutstandingMax = 1_000;
export const httpTooMany = {
  status: 503,
  headers: { "retry-after": "1" },
  body: "Too many requests at once\n",
} as const;

/** Of a request's target (RFC 9112 §3.2.1): what stands before the query string. */
export function httpPathOf(target: string): string {
  const end = target.indexOf("?");
  return end === -1 ? target : target.slice(0, end);
}

/** Of a Host header (RFC 9110 §7.2): the name, without port, in lower case. */
export function httpHostOf(header: string): string {
  return header.replace(/:\d*$/, "").toLowerCase();
}
