/** XEP-0202 Entity Time: the server's wall clock, in UTC (XEP-0082 profile). */
import { createElement as xml } from "ltx";
import { utcText } from "../base/time.ts";
import { feature } from "../router/feature.ts";
import { NS } from "../xmpp/namespaces.ts";
import { resultReply } from "../xmpp/stanza-error.ts";

export const entityTime = feature({
  name: "entity-time",
  xeps: [{ number: 202, title: "Entity Time", version: "2.0" }],
  disco: [NS.time],
  iq: {
    "get server urn:xmpp:time": (iq, { now }) =>
      resultReply(
        iq.stanza,
        xml("time", { xmlns: NS.time }, xml("tzo", {}, "Z"), xml("utc", {}, utcText(now.wall))),
      ),
  },
});
