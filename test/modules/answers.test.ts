/** What each feature answers, through its own file; what is asked of all of them together. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { xepsText } from "../../scripts/xeps.ts";
import { connectionMethods } from "../../src/modules/connection-methods.ts";
import { entityTime } from "../../src/modules/entity-time.ts";
import { lastActivity } from "../../src/modules/last-activity.ts";
import { legacySession } from "../../src/modules/legacy-session.ts";
import { ping } from "../../src/modules/ping.ts";
import { serviceDiscovery } from "../../src/modules/service-discovery.ts";
import { softwareVersion } from "../../src/modules/software-version.ts";
import type { IqKey } from "../../src/router/feature.ts";
import { features } from "../../src/server/server.ts";
import { Host } from "./ask.ts";

const info = "http://jabber.org/protocol/disco#info";
const items = "http://jabber.org/protocol/disco#items";
const result = "type='result'";

test("ping: server and own account answer with nothing more [XEP-0199 §4]", () => {
  for (const key of ["get server urn:xmpp:ping", "get self urn:xmpp:ping"] as const) {
    expect(new Host().ask(ping, key, "<ping xmlns='urn:xmpp:ping'/>")).toMatch(
      /type='result'[^>]*\/>$/,
    );
  }
});

test("version: name and version, not the operating system [XEP-0092 §3]", () => {
  const xml = "<query xmlns='jabber:iq:version'/>";
  const answer = new Host().ask(softwareVersion, "get server jabber:iq:version", xml);
  expect(answer).toContain("<name>Meerkat</name><version>1.2.3</version></query>");
});

test("time: the server's clock in UTC [XEP-0202 §3]", () => {
  const xml = "<time xmlns='urn:xmpp:time'/>";
  const answer = new Host().ask(entityTime, "get server urn:xmpp:time", xml);
  expect(answer).toContain("<tzo>Z</tzo><utc>2023-11-14T22:13:20.000Z</utc>");
});

test("last activity: of the server, how long it has been up [XEP-0012 §4]", () => {
  const xml = "<query xmlns='jabber:iq:last'/>";
  const answer = new Host().ask(lastActivity, "get server jabber:iq:last", xml);
  expect(answer).toMatch(/seconds=['"]90['"]/);
});

test("session: what RFC 3921 §3 wanted is granted and does nothing", () => {
  const ns = "urn:ietf:params:xml:ns:xmpp-session";
  for (const key of [`set self ${ns}`, `set server ${ns}`] as const) {
    expect(new Host().ask(legacySession, key, `<session xmlns='${ns}'/>`)).toContain(result);
  }
});

test("disco: the server lists what every feature advertises, sorted [XEP-0030 §3.1]", () => {
  const answer = new Host().ask(serviceDiscovery, `get server ${info}`, `<query xmlns='${info}'/>`);
  expect(answer).toMatch(/<identity [^>]*category=['"]server['"]/);
  const listed = [...answer.matchAll(/<feature var=['"]([^'"]+)['"]/g)].map(([, name]) => name);
  expect(listed).toEqual(features.flatMap(({ disco }) => disco ?? []).toSorted());
  expect(listed).toContain("urn:xmpp:ping");
});

test("disco: an account is one [XEP-0030 §3.1], and neither it nor the server has items", () => {
  const account = new Host().ask(serviceDiscovery, `get self ${info}`, `<query xmlns='${info}'/>`);
  expect(account).toMatch(/<identity [^>]*category=['"]account['"] type=['"]registered['"]/);
  for (const whose of ["server", "self"] as const) {
    const key: IqKey = `get ${whose} ${items}`;
    const answer = new Host().ask(serviceDiscovery, key, `<query xmlns='${items}'/>`);
    expect(answer).toMatch(/<query xmlns=['"][^'"]*#items['"]\/>/);
  }
});

test("disco: a node that nobody has is not found [XEP-0030 §7]", () => {
  for (const [whose, ns] of [
    ["server", info],
    ["server", items],
    ["self", info],
    ["self", items],
  ] as const) {
    const key: IqKey = `get ${whose} ${ns}`;
    const answer = new Host().ask(serviceDiscovery, key, `<query xmlns='${ns}' node='x'/>`);
    expect(answer).toContain("<item-not-found ");
  }
});

test("host-meta: names the WebSocket in XML and JSON, to browsers of any origin [XEP-0156 §2]", () => {
  const { context } = new Host();
  const url = "wss://localhost:5443/ws-xmpp";
  for (const path of ["/.well-known/host-meta", "/.well-known/host-meta.json"]) {
    const answer = connectionMethods.http?.[path]?.("localhost", context);
    expect(answer?.status).toBe(200);
    expect(answer?.headers).toHaveProperty("access-control-allow-origin", "*");
    expect(answer?.body).toContain(url);
    expect(answer?.body).toContain("urn:xmpp:alt-connections:websocket");
  }
});

test("features: no two answer the same question or path, and each has a name of its own", () => {
  const answered = features.flatMap(({ name, iq, http, operatorHttp }) => [
    `feature ${name}`,
    ...Object.keys({ ...iq }),
    ...Object.keys({ ...http }),
    ...Object.keys({ ...operatorHttp }),
  ]);
  expect(new Set(answered).size).toBe(answered.length);
});

test("features: docs/xeps.md is what `npm run docs` writes today", () => {
  const page = fileURLToPath(new URL("../../docs/xeps.md", import.meta.url));
  expect(readFileSync(page, "utf8")).toBe(xepsText());
});
