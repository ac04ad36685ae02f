/** XEP-0030 Service Discovery, of the server and of accounts: what can be done here? */
import { createElement as xml } from "ltx";
import { feature, type FeatureContext, type IqRequest } from "../router/feature.ts";
import { NS } from "../xmpp/namespaces.ts";
import { errorReply, resultReply } from "../xmpp/stanza-error.ts";
import type { Stanza } from "../xmpp/stanza.ts";

export const serviceDiscovery = feature({
  name: "service-discovery",
  xeps: [{ number: 30, title: "Service Discovery", version: "2.5.0" }],
  disco: [NS.discoInfo, NS.discoItems],
  iq: {
    "get server http://jabber.org/protocol/disco#info": serverInfo,
    "get server http://jabber.org/protocol/disco#items": noItems,
    "get self http://jabber.org/protocol/disco#info": accountInfo,
    "get self http://jabber.org/protocol/disco#items": noItems,
  },
});

function serverInfo(iq: IqRequest, { features }: FeatureContext): Stanza {
  if (nodeOf(iq) !== undefined) return noSuchNode(iq);
  const names = features.flatMap(({ disco }) => disco ?? []).toSorted();
  return resultReply(
    iq.stanza,
    xml(
      "query",
      { xmlns: NS.discoInfo },
      xml("identity", { category: "server", type: "im", name: "Meerkat" }),
      ...names.map((name) => xml("feature", { var: name })),
    ),
  );
}

/** §3.1: a registered account, seen by its owner. */
function accountInfo(iq: IqRequest): Stanza {
  if (nodeOf(iq) !== undefined) return noSuchNode(iq);
  return resultReply(
    iq.stanza,
    xml(
      "query",
      { xmlns: NS.discoInfo },
      xml("identity", { category: "account", type: "registered" }),
      xml("feature", { var: NS.discoInfo }),
    ),
  );
}

function noItems(iq: IqRequest): Stanza {
  if (nodeOf(iq) !== undefined) return noSuchNode(iq);
  return resultReply(iq.stanza, xml("query", { xmlns: NS.discoItems }));
}

function nodeOf(iq: IqRequest): string | undefined {
  const node: unknown = iq.stanza.element().getChild("query")?.attrs["node"];
  return typeof node === "string" ? node : undefined;
}

/** §7: an unknown node is `item-not-found`. */
function noSuchNode(iq: IqRequest): Stanza {
  return errorReply(iq.stanza, "item-not-found") ?? resultReply(iq.stanza);
}
