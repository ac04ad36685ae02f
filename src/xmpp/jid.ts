/**
 * JID: who is meant (RFC 7622)?
 *
 * Addresses are prepared once, where they come in, and compared as text from then on. `JidCache` makes
 * that once per distinct spelling for those seen lately.
 */
import * as tr46 from "tr46";
import { utf8Length } from "../base/bytes.ts";
import { canonicalIpv6 } from "../base/ip-network.ts";
import { opaqueString, usernameCaseMapped } from "./precis.ts";

/** A prepared address. Parts that are absent are "". */
export class Jid {
  readonly local: string;
  readonly domain: string;
  readonly resource: string;
  /** Without the resource. */
  readonly bare: string;
  /** The whole address; equals `bare` where there is no resource. */
  readonly full: string;

  /** For parts that have been prepared; `parseJid` and `jidOf` prepare them. */
  constructor(local: string, domain: string, resource: string) {
    this.local = local;
    this.domain = domain;
    this.resource = resource;
    this.bare = local === "" ? domain : `${local}@${domain}`;
    this.full = resource === "" ? this.bare : `${this.bare}/${resource}`;
  }

  withResource(prepared: string): Jid {
    return new Jid(this.local, this.domain, prepared);
  }

  toBare(): Jid {
    return this.resource === "" ? this : new Jid(this.local, this.domain, "");
  }
}

/** RFC 7622 §3.1: bytes of each part. */
const partMax = 1023;
const FORBIDDEN_IN_LOCAL = /["&'/:<>@]/; // RFC 7622 §3.3.1
const SIMPLE_DOMAIN =
  /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;

/** RFC 7622 §3.2: splits at the first slash, then at the first at-sign before it. Undefined: not a JID. */
export function parseJid(text: string, ofDomain = prepareDomain): Jid | undefined {
  const slash = text.indexOf("/");
  const address = slash < 0 ? text : text.slice(0, slash);
  const at = address.indexOf("@");
  if (at === 0 || slash === text.length - 1) return undefined; // a part that is marked must not be empty
  const local = at < 0 ? "" : address.slice(0, at);
  const domain = ofDomain(address.slice(at + 1));
  if (domain === undefined) return undefined;
  return jidAt(domain, local, slash < 0 ? "" : text.slice(slash + 1));
}

/** Prepares the parts; "" stands for an absent one. Undefined: one of them is not allowed. */
export function jidOf(local: string, domain: string, resource: string): Jid | undefined {
  const preparedDomain = prepareDomain(domain);
  return preparedDomain === undefined ? undefined : jidAt(preparedDomain, local, resource);
}

/** The same at a domain that is prepared. */
export function jidAt(domain: string, local: string, resource: string): Jid | undefined {
  const preparedLocal = local === "" ? "" : prepareUsername(local);
  const preparedResource = resource === "" ? "" : prepareResource(resource);
  if (preparedLocal === undefined || preparedResource === undefined) return undefined;
  return new Jid(preparedLocal, domain, preparedResource);
}

/** RFC 7622 §3.3 */
export function prepareUsername(text: string): string | undefined {
  const prepared = usernameCaseMapped(text);
  if (prepared === undefined || FORBIDDEN_IN_LOCAL.test(prepared)) return undefined;
  return withinMax(prepared);
}

/** RFC 7622 §3.4 */
export function prepareResource(text: string): string | undefined {
  const prepared = opaqueString(text);
  return prepared === undefined ? undefined : withinMax(prepared);
}

/** RFC 8265 §4, for SASL; empty passwords are not allowed. */
export function preparePassword(text: string): string | undefined {
  return opaqueString(text);
}

/** RFC 7622 §3.2: in lower case, in Unicode (U-labels), without a final dot; IPv6 as RFC 5952 spells it. */
export function prepareDomain(text: string): string | undefined {
  const lower = /^[\0-\x7f]*$/.test(text) ? text.toLowerCase() : text;
  if (SIMPLE_DOMAIN.test(lower) && !lower.includes("xn--") && !lower.includes("--")) return lower;
  if (text.startsWith("[") && text.endsWith("]")) {
    const address = canonicalIpv6(text.slice(1, -1));
    return address === undefined ? undefined : `[${address}]`;
  }
  const trimmed = text.endsWith(".") ? text.slice(0, -1) : text;
  const options = {
    checkHyphens: true,
    checkBidi: true,
    checkJoiners: true,
    useSTD3ASCIIRules: true,
  };
  const unicode = tr46.toUnicode(trimmed, options);
  if (unicode.error || unicode.domain === "") return undefined;
  if (tr46.toASCII(trimmed, { ...options, verifyDNSLength: true }) === null) return undefined;
  return withinMax(unicode.domain);
}

function withinMax(text: string): string | undefined {
  if (text.length * 3 <= partMax) return text;
  return utf8Length(text) <= partMax ? text : undefined;
}

/** Spellings of domains that are remembered beside the addresses. */
const domainsMax = 64;

/**
 * Spellings seen lately and what they mean; failures too. Two generations: when the younger is half the
 * bound, the elder is dropped, so that an address in use stays and no order has to be kept.
 */
export class JidCache {
  readonly #half: number;
  #young = new Map<string, Jid | undefined>();
  #old = new Map<string, Jid | undefined>();
  /** Stanzas come in runs: what was asked for last is mostly asked for again. "" is no JID. */
  #lastText = "";
  #lastJid: Jid | undefined;
  /** Domains are few, and those that are not ASCII take long. */
  readonly #domains = new Map<string, string | undefined>();

  constructor(max: number) {
    this.#half = Math.max(1, max >> 1);
  }

  get(text: string): Jid | undefined {
    if (text === this.#lastText) return this.#lastJid;
    const jid = this.#find(text);
    this.#lastText = text;
    this.#lastJid = jid;
    return jid;
  }

  #find(text: string): Jid | undefined {
    const known = this.#young.get(text);
    if (known !== undefined || this.#young.has(text)) return known;
    const jid = this.#old.has(text) ? this.#old.get(text) : parseJid(text, this.#ofDomain);
    if (this.#young.size >= this.#half) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(text, jid);
    return jid;
  }

  readonly #ofDomain = (text: string): string | undefined => {
    const known = this.#domains.get(text);
    if (known !== undefined || this.#domains.has(text)) return known;
    const domain = prepareDomain(text);
    if (this.#domains.size >= domainsMax) this.#domains.clear();
    this.#domains.set(text, domain);
    return domain;
  };
}
