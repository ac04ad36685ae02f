/**
 * Delivery rules: RFC 6121 §8.5 as a table.
 *
 * Rows are what the addressee is at this moment, columns are what is sent; a cell says what happens.
 * Where the RFC allows to ignore a message or to answer with an error, we answer: nothing is lost
 * silently. `store` means offline storage; while there is none it is a `service-unavailable` error.
 */

export type Addressee =
  /** Bare JID with a resource of non-negative priority. */
  | "bare, reachable"
  /** Bare JID; no account, no resource, or only negative priorities. */
  | "bare, unreachable"
  /** A full JID that is bound. */
  | "full, bound"
  /** A full JID that is not bound, of a user with a reachable resource. */
  | "full, unbound, reachable"
  | "full, unbound, unreachable";

export type Kind =
  | "message normal"
  | "message chat"
  | "message groupchat"
  | "message headline"
  | "message error"
  | "presence"
  | "presence subscription"
  | "presence probe"
  | "presence error"
  | "iq request"
  | "iq response";

export type Action =
  /** To the one session bound to the full JID. */
  | "deliver"
  /** To the sessions that share the highest non-negative priority. */
  | "deliver to best"
  /** To every session of non-negative priority. */
  | "deliver to all"
  /** To every available session, whatever its priority. */
  | "deliver to available"
  | "store"
  /** `service-unavailable` to the sender. */
  | "bounce"
  | "ignore"
  /** The server answers for the account. */
  | "handle";

type Row = Readonly<Record<Kind, Action>>;

export const deliveryRules: Readonly<Record<Addressee, Row>> = {
  // RFC 6121 §8.5.2.1
  "bare, reachable": {
    "message normal": "deliver to best",
    "message chat": "deliver to best",
    "message groupchat": "bounce",
    "message headline": "deliver to all",
    "message error": "ignore",
    presence: "deliver to available",
    "presence subscription": "ignore", // rosters come later
    "presence probe": "ignore",
    "presence error": "ignore",
    "iq request": "handle",
    "iq response": "ignore",
  },
  // RFC 6121 §8.5.1 and §8.5.2.2
  "bare, unreachable": {
    "message normal": "store",
    "message chat": "store",
    "message groupchat": "bounce",
    "message headline": "ignore",
    "message error": "ignore",
    presence: "deliver to available", // a resource of negative priority is still available
    "presence subscription": "ignore",
    "presence probe": "ignore",
    "presence error": "ignore",
    "iq request": "handle",
    "iq response": "ignore",
  },
  // RFC 6121 §8.5.3.1
  "full, bound": {
    "message normal": "deliver",
    "message chat": "deliver",
    "message groupchat": "deliver",
    "message headline": "deliver",
    "message error": "deliver",
    presence: "deliver",
    "presence subscription": "ignore",
    "presence probe": "ignore",
    "presence error": "deliver",
    "iq request": "deliver",
    "iq response": "deliver",
  },
  // RFC 6121 §8.5.3.2
  "full, unbound, reachable": {
    "message normal": "bounce",
    "message chat": "deliver to best",
    "message groupchat": "bounce",
    "message headline": "bounce",
    "message error": "ignore",
    presence: "ignore",
    "presence subscription": "ignore",
    "presence probe": "ignore",
    "presence error": "ignore",
    "iq request": "bounce",
    "iq response": "ignore",
  },
  "full, unbound, unreachable": {
    "message normal": "bounce",
    "message chat": "store",
    "message groupchat": "bounce",
    "message headline": "bounce",
    "message error": "ignore",
    presence: "ignore",
    "presence subscription": "ignore",
    "presence probe": "ignore",
    "presence error": "ignore",
    "iq request": "bounce",
    "iq response": "ignore",
  },
};
