/**
 * Access: which value do the rules give this address?
 *
 * Rules are read from the first on, and the first whose list has the address counts. What it means that
 * none does is the asker's business.
 */
import type { Jid } from "../xmpp/jid.ts";

/** All parts that are given must be equal; prepared. */
export interface AclPattern {
  readonly user?: string | undefined;
  readonly server?: string | undefined;
  readonly resource?: string | undefined;
}

export interface AccessRule<T> {
  /** Whoever fits one of them; a pattern without parts fits everybody. */
  readonly acl: readonly AclPattern[];
  readonly value: T;
}

export function valueFor<T>(rules: readonly AccessRule<T>[], jid: Jid): T | undefined {
  return rules.find(({ acl }) => acl.some((pattern) => fits(pattern, jid)))?.value;
}

function fits({ user, server, resource }: AclPattern, jid: Jid): boolean {
  if (user !== undefined && user !== jid.local) return false;
  if (server !== undefined && server !== jid.domain) return false;
  return resource === undefined || resource === jid.resource;
}
