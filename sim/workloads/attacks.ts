/**
 * Attacks: what may no client send, at which stage, and how must it be answered?
 *
 * The answer is the condition of a stream error, of a SASL failure or of a stanza error. Where RFC 6120
 * leaves a choice there are several.
 */
import {
  binaryFromText,
  bytesFromText,
  toBase64,
  type BinaryString,
} from "../../src/base/bytes.ts";
import { NS } from "../../src/xmpp/namespaces.ts";
import type { Stage } from "../clients/client.ts";
import { nameOf, planHost, unknownHost } from "../addresses.ts";
import { passwordOf, type Plan } from "../plan.ts";

export interface Attack {
  readonly stage: Stage;
  readonly data: (plan: Plan, user: string) => BinaryString;
  readonly answers: readonly string[];
  /** Only where what is sent is one message (RFC 7395); missing: only where it is part of a stream. */
  readonly over?: "websocket";
}

const fixed = (data: string) => (): BinaryString => data;
const header = (to: string, rest: string): string =>
  `<?xml version='1.0'?><stream:stream xmlns='${NS.client}' xmlns:stream='${NS.streams}' to='${to}'${rest}>`;
const message = "<message to='nobody@meerkat.test' type='chat'><body>hello</body></message>";
const illFormed = ["not-well-formed", "invalid-xml", "bad-format"];

const attacks = {
  // RFC 6120 §11.1: what XML allows and XMPP does not.
  comment: { stage: "online", data: fixed("<!-- hello -->"), answers: ["restricted-xml"] },
  "comment-inside": {
    stage: "online",
    data: fixed("<message><body>a<!-- b -->c</body></message>"),
    answers: ["restricted-xml"],
  },
  "processing-instruction": {
    stage: "online",
    data: fixed("<?php hello?>"),
    answers: ["restricted-xml", "not-well-formed"],
  },
  doctype: {
    stage: "online",
    data: fixed("<!DOCTYPE lol [<!ENTITY lol 'lol'>]>"),
    answers: ["restricted-xml", "not-well-formed"],
  },
  "foreign-entity": {
    stage: "online",
    data: fixed("<message><body>&lol;</body></message>"),
    answers: ["restricted-xml", "not-well-formed"],
  },
  // XML 1.0 and Namespaces in XML.
  "mismatched-tag": { stage: "online", data: fixed("<message></presence>"), answers: illFormed },
  "end-tag-of-another-name": {
    stage: "online",
    data: fixed("<message></massage>"),
    answers: illFormed,
  },
  "duplicate-attribute": {
    stage: "online",
    data: fixed("<message id='a' id='b'/>"),
    answers: illFormed,
  },
  "unbound-prefix": {
    stage: "online",
    data: fixed("<message><x:body/></message>"),
    answers: ["bad-namespace-prefix", "not-well-formed"],
  },
  "control-character": {
    stage: "online",
    data: fixed("<message><body>\x01</body></message>"),
    answers: illFormed,
  },
  "invalid-utf-8": {
    stage: "online",
    data: fixed("<message><body>\xc0\xaf</body></message>"),
    answers: [...illFormed, "unsupported-encoding"],
  },
  "bare-ampersand": {
    stage: "online",
    data: fixed("<message><body>a & b</body></message>"),
    answers: illFormed,
  },
  "text-between-stanzas": { stage: "online", data: fixed("hello<presence/>"), answers: illFormed },
  // Limits.
  oversized: {
    stage: "online",
    data: (plan) => `<message><body>${"x".repeat(plan.limits.maxStanzaSize + 1)}</body></message>`,
    answers: ["policy-violation"],
  },
  "oversized-attribute": {
    stage: "online",
    data: (plan) => `<message id='${"x".repeat(plan.limits.maxStanzaSize + 1)}'/>`,
    answers: ["policy-violation"],
  },
  "too-deep": {
    stage: "online",
    data: fixed(`<message>${"<a>".repeat(1_000)}`),
    answers: ["policy-violation"],
  },
  // Stanzas.
  "forged-from": {
    stage: "online",
    data: fixed(message.replace("<message", "<message from='admin@meerkat.test/phone'")),
    answers: ["invalid-from"],
  },
  "not-a-stanza": {
    stage: "online",
    data: fixed("<letter><body>hello</body></letter>"),
    answers: ["unsupported-stanza-type"],
  },
  "request-without-id": {
    stage: "online",
    data: fixed(`<iq type='get'><ping xmlns='${NS.ping}'/></iq>`),
    answers: ["bad-request"],
  },
  "request-without-payload": {
    stage: "online",
    data: fixed("<iq type='get' id='empty'/>"),
    answers: ["bad-request"],
  },
  "ill-addressed": {
    stage: "online",
    data: fixed(message.replace("nobody@meerkat.test", "@meerkat.test")),
    answers: ["jid-malformed"],
  },
  // The wrong thing at the wrong time.
  http: {
    stage: "opened",
    data: fixed("GET / HTTP/1.1\r\nHost: meerkat.test\r\n\r\n"),
    answers: illFormed,
  },
  "wrong-host": {
    stage: "opened",
    data: fixed(header(unknownHost, " version='1.0'")),
    answers: ["host-unknown"],
  },
  "wrong-namespace": {
    stage: "opened",
    data: fixed(header(planHost, " version='1.0'").replace(NS.streams, "urn:example:streams")),
    answers: ["invalid-namespace"],
  },
  "no-version": {
    stage: "opened",
    data: fixed(header(planHost, "")),
    answers: ["unsupported-version"],
  },
  "message-in-the-clear": { stage: "clear", data: fixed(message), answers: ["not-authorized"] },
  "message-before-authentication": {
    stage: "secured",
    data: fixed(message),
    answers: ["not-authorized"],
  },
  "bind-before-authentication": {
    stage: "secured",
    data: fixed(`<iq type='set' id='bind'><bind xmlns='${NS.bind}'/></iq>`),
    answers: ["not-authorized"],
  },
  /** Each of them is answered; what ends the stream otherwise is only there to be told from too many. */
  "too-many-requests-before-binding": {
    stage: "secured",
    data: fixed(
      `${`<iq type='get' id='form'><query xmlns='${NS.register}'/></iq>`.repeat(20)}<!-- enough -->`,
    ),
    answers: ["policy-violation"],
  },
  "message-before-bind": {
    stage: "authenticated",
    data: fixed(message),
    answers: ["not-authorized"],
  },
  "password-in-the-clear": {
    stage: "clear",
    data: fixed(`<auth xmlns='${NS.sasl}' mechanism='PLAIN'>AGEAYg==</auth>`),
    answers: ["encryption-required", "invalid-mechanism", "not-authorized", "policy-violation"],
  },
  "scram-in-the-clear": {
    stage: "clear",
    data: (_plan, user) => {
      const initial = toBase64(bytesFromText(`n,,n=${nameOf(user)},r=0123456789abcdef`));
      return `<auth xmlns='${NS.sasl}' mechanism='SCRAM-SHA-256'>${initial}</auth>`;
    },
    answers: ["encryption-required", "policy-violation"],
  },
  "unknown-mechanism": {
    stage: "secured",
    data: fixed(`<auth xmlns='${NS.sasl}' mechanism='TRUST-ME'>AGEAYg==</auth>`),
    answers: ["invalid-mechanism"],
  },
  "not-base64": {
    stage: "secured",
    data: fixed(`<auth xmlns='${NS.sasl}' mechanism='PLAIN'>%%%</auth>`),
    answers: ["incorrect-encoding", "malformed-request"],
  },
  "other-authzid": {
    stage: "secured",
    data: fixed(`<auth xmlns='${NS.sasl}' mechanism='PLAIN'>YWRtaW4AYQBi</auth>`),
    answers: ["invalid-authzid", "not-authorized"],
  },
  /** Even with the right password. */
  "authentication-twice": {
    stage: "authenticated",
    data: (_plan, user) => {
      const initial = toBase64(bytesFromText(`\0${nameOf(user)}\0${passwordOf(user)}`));
      return `<auth xmlns='${NS.sasl}' mechanism='PLAIN'>${initial}</auth>`;
    },
    answers: ["not-authorized", "policy-violation"],
  },
  "tls-twice": {
    stage: "secured",
    data: fixed(`<starttls xmlns='${NS.tls}'/>`),
    answers: ["starttls failure", "not-authorized", "policy-violation", "unsupported-feature"],
  },
  "non-ascii-garbage": { stage: "opened", data: fixed(binaryFromText("ж€😀")), answers: illFormed },
} as const satisfies Record<string, Attack>;

const online = (data: string, ...answers: readonly string[]): Attack => ({
  ...{ stage: "online", data: fixed(data), answers, over: "websocket" },
});
const open = (host: string): string => `<open xmlns='${NS.framing}' to='${host}' version='1.0'/>`;
const presence = `<presence xmlns='${NS.client}'/>`;

/** RFC 7395 §3.3: each message is one element, with all of its namespaces. */
const webAttacks: Readonly<Record<string, Attack>> = {
  "two-elements-in-a-message": online(presence + presence, ...illFormed),
  "half-an-element-in-a-message": online(`<message xmlns='${NS.client}'><body>`, ...illFormed),
  "stanza-of-no-namespace": online(message, "unsupported-stanza-type", "invalid-namespace"),
  "comment-in-a-message": online("<!-- hello -->", "restricted-xml"),
  "open-of-who-is-online": online(open(planHost), "bad-format"),
  "oversized-message": {
    ...online("", "policy-violation"),
    data: ({ limits }) => presence.replace("/", ` id='${"x".repeat(limits.maxStanzaSize)}'/`),
  },
  "stream-header-in-a-message": {
    ...online(header(planHost, " version='1.0'"), ...illFormed),
    stage: "opened",
  },
  "open-of-another-host": { ...online(open(unknownHost), "host-unknown"), stage: "opened" },
  "starttls-in-a-message": {
    ...online(`<starttls xmlns='${NS.tls}'/>`, "starttls failure"),
    stage: "secured",
  },
  "presence-before-authentication": { ...online(presence, "not-authorized"), stage: "secured" },
};

const all: Readonly<Record<string, Attack>> = { ...attacks, ...webAttacks };

export const attackNames: readonly string[] = Object.keys(all);
export const attacksOverWebSocket: readonly string[] = Object.keys(webAttacks);

/** What is forbidden only because it is too much. */
export const repeatedAttacks: readonly string[] = ["too-many-requests-before-binding"];

/** What is forbidden at once. */
export const singleAttacks: readonly string[] = Object.keys(attacks).filter(
  (name) => !repeatedAttacks.includes(name),
);

export function attackOf(name: string): Attack | undefined {
  return all[name];
}
