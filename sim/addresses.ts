/**
 * Addresses: how are accounts named in plans and traces, and what JIDs do they have?
 *
 * By the name alone at the host that every plan has, as most are; else by `name@host`. So `alice` and
 * `alice@chat.meerkat.test` are two accounts, and whoever takes one for the other is found out.
 */

/** The host that every simulated cluster serves. */
export const planHost = "meerkat.test";

/** Others that it serves in some runs: one below the first, one whose name is not ASCII. */
export const otherHosts = ["chat.meerkat.test", "bücher.test"] as const;

/** No simulated cluster serves this one. */
export const unknownHost = "elsewhere.test";

/** Of this name at this host. */
export function accountAt(name: string, host: string): string {
  return host === planHost ? name : `${name}@${host}`;
}

export function nameOf(account: string): string {
  const at = account.indexOf("@");
  return at === -1 ? account : account.slice(0, at);
}

export function hostOf(account: string): string {
  const at = account.indexOf("@");
  return at === -1 ? planHost : account.slice(at + 1);
}

/** Bare without a resource. */
export function addressOf(account: string, resource = ""): string {
  const bare = account.includes("@") ? account : `${account}@${planHost}`;
  return resource === "" ? bare : `${bare}/${resource}`;
}

/** The account at this address; "" where it is a host's. */
export function userOf(jid: string): string {
  const at = jid.indexOf("@");
  return at === -1 ? "" : accountAt(jid.slice(0, at), domainOf(jid));
}

/** The host in this address. */
export function domainOf(jid: string): string {
  const bare = bareOf(jid);
  return bare.slice(bare.indexOf("@") + 1);
}

export function bareOf(jid: string): string {
  const slash = jid.indexOf("/");
  return slash === -1 ? jid : jid.slice(0, slash);
}
