/** RFC 3921 §3: session establishment, which older clients still ask for; RFC 6120 made it a no-op. */
import { feature } from "../router/feature.ts";
import { resultReply } from "../xmpp/stanza-error.ts";

export const legacySession = feature({
  name: "legacy-session",
  xeps: [],
  iq: {
    "set self urn:ietf:params:xml:ns:xmpp-session": (iq) => resultReply(iq.stanza),
    "set server urn:ietf:params:xml:ns:xmpp-session": (iq) => resultReply(iq.stanza),
  },
});
