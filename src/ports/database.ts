/**
 * Database: statements are constants, a request is an effect, its answer an input.
 *
 * A request is a list of queries and is atomic: all take effect or none. There are no interactive
 * transactions. "No answer" is one outcome: what a failed request did is unknown unless its kind says so.
 */

export type SqlValue = string | number | boolean | null | Uint8Array;
export type SqlRow = Readonly<Record<string, SqlValue>>;

/**
 * A constant: prepared once per connection under its name. `P` are its parameters ($1 first), `R` its
 * rows; the two exist for the compiler only.
 */
export interface Statement<
  P extends readonly SqlValue[] = readonly SqlValue[],
  R extends SqlRow = SqlRow,
> {
  readonly name: string;
  readonly text: string;
  /** Phantom: never set. */
  readonly shape?: (values: P) => R;
}

export interface Query {
  readonly statement: { readonly name: string; readonly text: string };
  readonly values: readonly SqlValue[];
}

export type RequestId = number;

export type DatabaseFailure =
  /** Not sent, or the connection was lost or too slow before an answer: the outcome is unknown. */
  | "unavailable"
  /** A unique or foreign key refused it: nothing happened. */
  | "constraint"
  /** Refused by the server for another reason, such as a serialization failure: nothing happened. */
  | "rejected";

export type DatabaseInput =
  | {
      readonly type: "query-answered";
      readonly request: RequestId;
      /** Rows of each query, in order. */
      readonly results: readonly (readonly SqlRow[])[];
    }
  | {
      readonly type: "query-failed";
      readonly request: RequestId;
      readonly failure: DatabaseFailure;
      readonly detail: string;
    };

export interface DatabaseEffect {
  readonly type: "query";
  readonly request: RequestId;
  readonly queries: readonly Query[];
}

export interface Database {
  /** The answer arrives later as one `DatabaseInput`, always, within the configured time limit. */
  query(request: RequestId, queries: readonly Query[]): void;
}
