/**
 * A conversation through @xmpp/client, in a process of its own: it trusts whom NODE_EXTRA_CA_CERTS names.
 *
 *     node client-library.mjs SERVICE MECHANISM
 *
 * Juliet and Romeo log in and talk; what happened is printed as one JSON object for the test to judge.
 */
import { xml } from "@xmpp/client";
import { libraryClient, login } from "./client-library-login.mjs";

const [service = "", mechanism = ""] = process.argv.slice(2);
const domain = "localhost";

function start(username, password, resource) {
  return libraryClient({ service, domain, username, password, resource, mechanism });
}

function heard(xmpp, name) {
  return new Promise((resolve) =>
    xmpp.on("stanza", (stanza) => {
      if (stanza.is(name)) resolve(stanza);
    }),
  );
}

/** A login that must succeed; its error says whose it was. */
async function online(name, xmpp) {
  try {
    return String(await login(xmpp));
  } catch (error) {
    throw new Error(`${name} could not log in: ${error.condition ?? error.message}`);
  }
}

async function asked(xmpp, payload, to = domain) {
  const answer = await xmpp.iqCaller.request(xml("iq", { type: "get", to }, payload));
  return answer.getChildElements()[0]?.toString() ?? "";
}

const juliet = start("juliet", "pencil", "balcony");
const romeo = start("romeo", "pencil", "orchard");
const addresses = [await online("juliet", juliet), await online("romeo", romeo)];

const message = heard(romeo, "message");
await juliet.send(
  xml(
    "message",
    { to: addresses[1], type: "chat", id: "m1" },
    xml("body", {}, "Wherefore 🌹 & <?"),
  ),
);
const said = await message;

const presence = heard(juliet, "presence");
await romeo.send(xml("presence", { to: addresses[0] }, xml("status", {}, "here")));
const seen = await presence;

const query = (ns) => xml("query", { xmlns: ns });
const answers = {
  ping: await asked(juliet, xml("ping", { xmlns: "urn:xmpp:ping" })),
  disco: await asked(juliet, query("http://jabber.org/protocol/disco#info")),
  version: await asked(juliet, query("jabber:iq:version")),
  time: await asked(juliet, xml("time", { xmlns: "urn:xmpp:time" })),
  last: await asked(juliet, query("jabber:iq:last")),
};
const unknown = await asked(juliet, query("urn:test:unknown")).catch((error) => error.condition);

const stranger = start("juliet", "wrong", "chamber");
const refused = await login(stranger).then(
  () => "logged in",
  (error) => error.condition,
);
await stranger.stop().catch(() => undefined);
await juliet.stop();
await romeo.stop();
console.log(
  JSON.stringify({
    addresses,
    message: { from: said.attrs.from, id: said.attrs.id, body: said.getChildText("body") },
    presence: { from: seen.attrs.from, status: seen.getChildText("status") },
    answers,
    unknown,
    refused,
  }),
);
