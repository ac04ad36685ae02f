/**
 * XEP-0077 In-Band Registration: accounts made, changed and removed by their owners.
 *
 * Registration happens before authentication, on streams of addresses that the listener's
 * configuration allows; the stream offers it and hands the request over. What is kept of a password
 * are salted SCRAM keys.
 */
import { createElement as xml } from "ltx";
import type { Work } from "../ports/work.ts";
import { feature, type FeatureContext, type IqRequest } from "../router/feature.ts";
import {
  accountExists,
  changePassword,
  registerAccount,
  removeAccount,
} from "../storage/accounts.ts";
import { newScramKeys } from "../stream/sasl/scram.ts";
import { preparePassword, prepareUsername } from "../xmpp/jid.ts";
import { NS } from "../xmpp/namespaces.ts";
import { errorReply, resultReply, type StanzaErrorCondition } from "../xmpp/stanza-error.ts";
import type { Stanza } from "../xmpp/stanza.ts";

export const inBandRegistration = feature({
  name: "in-band-registration",
  xeps: [{ number: 77, title: "In-Band Registration", version: "2.4" }],
  disco: [NS.register],
  iq: {
    "get server jabber:iq:register": registered,
    "get self jabber:iq:register": registered,
    "set server jabber:iq:register": change,
    "set self jabber:iq:register": change,
  },
  register(host, iq, context) {
    return iq.type === "get" ? form(iq) : create(host, iq, context);
  },
});

/** §3.1: what to fill in. */
function form(iq: Stanza): Stanza {
  return resultReply(
    iq,
    xml(
      "query",
      { xmlns: NS.register },
      xml("instructions", {}, "Choose a username and password for use with this service."),
      xml("username"),
      xml("password"),
    ),
  );
}

/** §3.1.1: a new account. */
function* create(host: string, iq: Stanza, context: FeatureContext): Work<Stanza> {
  const { username, password } = fieldsOf(iq);
  if (username === undefined || password === undefined) {
    return refusal(iq, "not-acceptable");
  }
  const preparedName = prepareUsername(username);
  const preparedPassword = preparePassword(password);
  if (preparedName === undefined || preparedPassword === undefined) {
    return refusal(iq, "not-acceptable");
  }
  if (yield* accountExists(host, preparedName)) return refusal(iq, "conflict");
  const keys = yield* newScramKeys(keyContext(context), preparedPassword);
  const outcome = yield* registerAccount(host, preparedName, keys);
  return outcome === "created" ? resultReply(iq) : refusal(iq, "conflict");
}

/** §3.1: who asks is registered already. */
function registered(iq: IqRequest): Stanza {
  return resultReply(
    iq.stanza,
    xml(
      "query",
      { xmlns: NS.register },
      xml("registered"),
      xml("username", {}, iq.from.local),
      xml("password"),
    ),
  );
}

/** §3.2 and §3.3: the owner leaves, or takes another password. Who is anonymous owns no account. */
function* change(iq: IqRequest, context: FeatureContext): Work<Stanza> {
  const { from, stanza } = iq;
  const query = stanza.payload(NS.register, "query");
  if (query?.getChild("remove") !== undefined) {
    if (query.getChildElements().length > 1) return refusal(stanza, "bad-request");
    const removed = yield* removeAccount(from.domain, from.local);
    // Also when it had gone before: by a request whose answer was lost, or by an operator.
    context.endSessions(from.bare, "The account was removed");
    return removed ? resultReply(stanza) : refusal(stanza, "registration-required");
  }
  const { username, password } = fieldsOf(stanza);
  const prepared = password === undefined ? undefined : preparePassword(password);
  if (username === undefined || prepared === undefined) return refusal(stanza, "bad-request");
  if (prepareUsername(username) !== from.local) return refusal(stanza, "not-allowed");
  const keys = yield* newScramKeys(keyContext(context), prepared);
  const changed = yield* changePassword(from.domain, from.local, keys);
  return changed ? resultReply(stanza) : refusal(stanza, "unexpected-request");
}

function keyContext(context: FeatureContext) {
  const { crypto, entropy, scramIterations } = context;
  return { crypto, entropy, iterations: scramIterations };
}

function fieldsOf(iq: Stanza): { username: string | undefined; password: string | undefined } {
  const query = iq.payload(NS.register, "query");
  const text = (name: string): string | undefined => {
    const value = query?.getChildText(name) ?? undefined;
    return value === "" ? undefined : value;
  };
  return { username: text("username"), password: text("password") };
}

function refusal(iq: Stanza, condition: StanzaErrorCondition): Stanza {
  return errorReply(iq, condition) ?? resultReply(iq);
}
