/** RFC 3921 §3: session establishment, which older clients still ask for; RFC 6120 made it a no-op. */
import { feature } from "../router/feature.ts";
import { NS } from "../xmpp/namespaces.ts";
import { resultReply } from "../xmpp/stanza-error.ts";

export const legacySession = feature({
  name: "legacy-session",
  xeps: [],
  iq: {
    [`set self ${NS.session}`]: (iq) => resultReply(iq.stanza),
    [`set server ${NS.session}`]: (iq) => resultReply(iq.stanza),
  },
});
