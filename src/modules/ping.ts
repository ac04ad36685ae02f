/** XEP-0199 XMPP Ping: is the server still there? */
import { feature } from "../router/feature.ts";
import { NS } from "../xmpp/namespaces.ts";
import { resultReply } from "../xmpp/stanza-error.ts";

export const ping = feature({
  name: "ping",
  xeps: [{ number: 199, title: "XMPP Ping", version: "2.0.1" }],
  disco: [NS.ping],
  iq: {
    "get server urn:xmpp:ping": (iq) => resultReply(iq.stanza),
    "get self urn:xmpp:ping": (iq) => resultReply(iq.stanza), // §4.1: addressed to the bare JID
  },
});
