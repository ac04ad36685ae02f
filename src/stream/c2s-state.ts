/**
 * C2S state: where is a client's stream between its first byte and its last?
 *
 *     opening --header--> negotiating --starttls--> securing --> opening (over TLS)
 *                         negotiating --auth--> authenticating --success--> opening (authenticated)
 *                         negotiating --bind--> binding --> bound --> closing --> closed
 *
 * The machine is `c2s.ts`.
 */
export type C2sState =
  | "opening"
  | "negotiating"
  | "securing"
  | "authenticating"
  | "challenged"
  | "binding"
  | "registering"
  | "bound"
  | "closing"
  | "closed";

/** An answer is awaited, so the client's next element must wait. */
export const awaiting: ReadonlySet<C2sState> = new Set([
  "authenticating",
  "binding",
  "registering",
  "securing",
]);
