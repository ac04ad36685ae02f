/** XEP-0092 Software Version: which server is this? The operating system is not told. */
import { createElement as xml } from "ltx";
import { feature } from "../router/feature.ts";
import { NS } from "../xmpp/namespaces.ts";
import { resultReply } from "../xmpp/stanza-error.ts";

export const softwareVersion = feature({
  name: "software-version",
  xeps: [{ number: 92, title: "Software Version", version: "1.1" }],
  disco: [NS.version],
  iq: {
    "get server jabber:iq:version": (iq, { version }) =>
      resultReply(
        iq.stanza,
        xml(
          "query",
          { xmlns: NS.version },
          xml("name", {}, "Meerkat"),
          xml("version", {}, version),
        ),
      ),
  },
});
