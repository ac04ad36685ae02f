/** XEP-0156 Alternative Connection Methods: where is the WebSocket of this host? */
import { feature, type FeatureContext, type HttpAnswer } from "../router/feature.ts";

const relation = "urn:xmpp:alt-connections:websocket";
const anyOrigin = { "access-control-allow-origin": "*" }; // §2: browsers of other origins must read it

export const connectionMethods = feature({
  name: "connection-methods",
  xeps: [
    { number: 156, title: "Discovering Alternative XMPP Connection Methods", version: "1.4.0" },
  ],
  http: { "/.well-known/host-meta": hostMeta, "/.well-known/host-meta.json": hostMetaJson },
});

function hostMeta(host: string, { websocketUrls }: FeatureContext): HttpAnswer {
  const links = websocketUrls(host).map((url) => `<Link rel='${relation}' href='${url}'/>`);
  return {
    status: 200,
    headers: { "content-type": "application/xrd+xml", ...anyOrigin },
    body: `<?xml version='1.0' encoding='utf-8'?><XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>${links.join("")}</XRD>`,
  };
}

function hostMetaJson(host: string, { websocketUrls }: FeatureContext): HttpAnswer {
  const links = websocketUrls(host).map((href) => ({ rel: relation, href }));
  return {
    status: 200,
    headers: { "content-type": "application/json", ...anyOrigin },
    body: JSON.stringify({ links }),
  };
}
