/**
 * Feature: all that one XEP may say of itself to the server.
 *
 * A feature is one file with one `feature({…})`; the server, the documentation and service discovery
 * derive from what it says. Handlers that need the database are generators (`ports/work.ts`), others
 * return their answer.
 */
import type { Now } from "../base/time.ts";
import type { Crypto } from "../ports/crypto.ts";
import type { Entropy } from "../ports/entropy.ts";
import type { Work } from "../ports/work.ts";
import type { Jid } from "../xmpp/jid.ts";
import type { Stanza } from "../xmpp/stanza.ts";

export interface Xep {
  readonly number: number;
  readonly title: string;
  readonly version: string;
}

/** "get" or "set"; to the server's domain, one's own account, or another's; the payload's namespace. */
export type IqKey = `${"get" | "set"} ${"server" | "self" | "account"} ${string}`;

export type IqHandler = (iq: IqRequest, context: FeatureContext) => Stanza | Work<Stanza>;

export interface IqRequest {
  readonly stanza: Stanza;
  /** Full JID of the session that asks. */
  readonly from: Jid;
  /** Whom it is addressed to: a domain, or a bare JID that the server answers for. */
  readonly to: Jid;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Feature {
  readonly name: string;
  readonly xeps: readonly Xep[];
  /** Namespaces to advertise for the server's domain (XEP-0030). */
  readonly disco?: readonly string[];
  readonly iq?: Readonly<Record<IqKey, IqHandler>>;
  /** In-band registration before authentication (XEP-0077): host and request in, reply out. */
  readonly register?: (host: string, iq: Stanza, context: FeatureContext) => Stanza | Work<Stanza>;
  /** GET requests by path. */
  readonly http?: HttpPaths;
  /** The same for operators: answered only by listeners that also serve metrics. */
  readonly operatorHttp?: HttpPaths;
}

export type HttpPaths = Readonly<
  Record<string, (host: string, context: FeatureContext) => HttpAnswer>
>;

export interface FeatureContext {
  readonly now: Now;
  readonly startedAt: Now;
  readonly version: string;
  readonly hosts: readonly string[];
  readonly features: readonly Feature[];
  readonly crypto: Crypto;
  readonly entropy: Entropy;
  readonly scramIterations: number;
  /** Ends all sessions of a bare JID, once the handler's answer has been sent. */
  readonly endSessions: (bare: string, text: string) => void;
  /** Why the node should get no new clients now; undefined: it is ready. */
  readonly notReady: string | undefined;
  /** A plain value of what this node sees of its cluster; undefined without one. */
  readonly clusterStatus: (now: Now) => unknown;
  /** Absolute URLs at which clients can connect otherwise (XEP-0156). */
  readonly websocketUrls: (host: string) => readonly string[];
}

export function feature(description: Feature): Feature {
  return description;
}
