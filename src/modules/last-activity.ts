/** XEP-0012 Last Activity, of the server: for how many seconds has it been up (§4)? */
import { createElement as xml } from "ltx";
import { feature } from "../router/feature.ts";
import { NS } from "../xmpp/namespaces.ts";
import { resultReply } from "../xmpp/stanza-error.ts";

export const lastActivity = feature({
  name: "last-activity",
  xeps: [{ number: 12, title: "Last Activity", version: "2.0" }],
  disco: [NS.last],
  iq: {
    "get server jabber:iq:last": (iq, { now, startedAt }) => {
      const seconds = Math.floor((now.at - startedAt.at) / 1000);
      return resultReply(iq.stanza, xml("query", { xmlns: NS.last, seconds: String(seconds) }));
    },
  },
});
