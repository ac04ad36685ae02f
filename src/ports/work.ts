/**
 * Work: a thought that waits for the world, written as a generator.
 *
 *     const [row] = yield* rows(selectAccount, [host, user]);
 *
 * reads like `await`, but the request is an effect and its answer an input. What was read before a
 * `yield*` may be stale after it. Work is dropped without a word when its stream closes; a request
 * already sent still happens.
 */
import type { KeyDerivation } from "./crypto.ts";
import type { DatabaseFailure, Query, SqlRow, SqlValue, Statement } from "./database.ts";

export type WorkRequest =
  | { readonly type: "query"; readonly queries: readonly Query[] }
  | { readonly type: "derive-key"; readonly derivation: KeyDerivation }
  | { readonly type: "resolve"; readonly host: string }
  | { readonly type: "read-file"; readonly path: string }
  /** SASL only: send this to the client and wait for its response (RFC 6120 §6.4.4). */
  | { readonly type: "challenge"; readonly data: Uint8Array };

export type WorkAnswer =
  | { readonly type: "rows"; readonly results: readonly (readonly SqlRow[])[] }
  | { readonly type: "failed"; readonly failure: DatabaseFailure; readonly detail: string }
  | { readonly type: "key"; readonly key: Uint8Array }
  | { readonly type: "addresses"; readonly addresses: readonly string[] }
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "response"; readonly data: Uint8Array };

export type Work<T> = Generator<WorkRequest, T, WorkAnswer>;

/** Thrown into work whose query failed; caught where a feature knows better than "try again later". */
export class QueryFailed extends Error {
  override readonly name = "QueryFailed";
  readonly failure: DatabaseFailure;
  constructor(failure: DatabaseFailure, detail: string) {
    super(detail);
    this.failure = failure;
  }
}

export function query<P extends readonly SqlValue[], R extends SqlRow>(
  statement: Statement<P, R>,
  values: P,
): Query {
  return { statement, values };
}

/** Runs several queries as one atomic request; throws `QueryFailed`. */
export function* atomically(queries: readonly Query[]): Work<readonly (readonly SqlRow[])[]> {
  const answer = yield { type: "query", queries };
  if (answer.type === "rows") return answer.results;
  if (answer.type === "failed") throw new QueryFailed(answer.failure, answer.detail);
  throw new TypeError(`a query was answered by ${answer.type}`);
}

/** Runs one query; throws `QueryFailed`. */
export function* rows<P extends readonly SqlValue[], R extends SqlRow>(
  statement: Statement<P, R>,
  values: P,
): Work<readonly R[]> {
  const [result] = yield* atomically([{ statement, values }]);
  return (result ?? []) as readonly R[];
}

/** SCRAM's Hi(), computed off the loop. */
export function* derivedKey(derivation: KeyDerivation): Work<Uint8Array> {
  const answer = yield { type: "derive-key", derivation };
  if (answer.type === "key") return answer.key;
  throw new TypeError(`a key derivation was answered by ${answer.type}`);
}

/** The IP addresses of a host name; throws `QueryFailed` where it has none that can be found now. */
export function* resolved(host: string): Work<readonly string[]> {
  const answer = yield { type: "resolve", host };
  if (answer.type === "addresses") return answer.addresses;
  if (answer.type === "failed") throw new QueryFailed(answer.failure, answer.detail);
  throw new TypeError(`a host name was answered by ${answer.type}`);
}

/** The text of a file; throws `QueryFailed` where it cannot be read. */
export function* fileText(path: string): Work<string> {
  const answer = yield { type: "read-file", path };
  if (answer.type === "text") return answer.text;
  if (answer.type === "failed") throw new QueryFailed(answer.failure, answer.detail);
  throw new TypeError(`a file was answered by ${answer.type}`);
}

/** Sends a SASL challenge and waits for the client's response. */
export function* challenge(data: Uint8Array): Work<Uint8Array> {
  const answer = yield { type: "challenge", data };
  if (answer.type === "response") return answer.data;
  throw new TypeError(`a challenge was answered by ${answer.type}`);
}
