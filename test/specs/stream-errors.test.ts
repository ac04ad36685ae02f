/** Every stream error of RFC 6120 §4.9.3: where it is obeyed, or why it is never met. */
import { expect, test } from "vitest";
import type { C2sOptions } from "../../src/stream/c2s.ts";
import type { StreamErrorCondition } from "../../src/xmpp/stream-error.ts";
import { header, SmallNode } from "../server/small-node.ts";
import { replay, tls } from "../stream/transcript.ts";

type Fact =
  /** Sent to who says this on a new connection. */
  | { readonly said: string }
  /** Sent to a client in this story of a node. */
  | { readonly story: (node: SmallNode) => string }
  /** Sent by a stream that is given this transcript. */
  | { readonly transcript: string }
  | { readonly never: string };

const onStream = (xml: string): Fact => ({ said: `${header}${xml}` });

/** A bound client that says something. */
const bound = (xml: string): Fact => ({
  story: (node) => {
    const juliet = node.login("juliet", "balcony");
    node.send(juliet, xml);
    return node.read(juliet);
  },
});

const facts: Readonly<Record<StreamErrorCondition, Fact>> = {
  "bad-format": onStream("text between stanzas"),
  "bad-namespace-prefix": onStream("<x:message/>"),
  conflict: {
    story: (node) => {
      const old = node.login("juliet", "balcony");
      node.login("juliet", "balcony");
      return node.read(old);
    },
  },
  "connection-timeout": {
    story: (node) => {
      const slow = node.connect("<");
      node.after(30_000);
      return node.read(slow);
    },
  },
  "host-gone": { never: "hosts are configured at start and do not go while a node runs" },
  "host-unknown": { said: header.replace("localhost", "elsewhere.test") },
  "improper-addressing": {
    never: "it is for stanzas between servers, whose addresses are required",
  },
  "internal-server-error": { transcript: "W: end internal-server-error" },
  "invalid-from": bound("<message from='romeo@localhost/x' to='juliet@localhost'/>"),
  "invalid-namespace": { said: header.replace("jabber:client", "jabber:server") },
  "invalid-xml": { never: "it is for a server that validates against schemas; we do not" },
  "not-authorized": onStream("<message to='romeo@localhost'/>"),
  "not-well-formed": onStream("<message></presence>"),
  "policy-violation": onStream(`<message>${"x".repeat(300_000)}</message>`),
  "remote-connection-failed": { never: "no remote server decides whether a client may log in" },
  reset: {
    never: "no security layer is renegotiated, and no stream outlives its certificate check",
  },
  "resource-constraint": {
    story: (node) => {
      const sleeper = node.login("juliet", "balcony");
      node.deliver({ type: "connection-congested", connection: sleeper });
      node.after(60_000);
      return node.read(sleeper);
    },
  },
  "restricted-xml": onStream("<!-- a comment -->"),
  "see-other-host": { never: "a node never sends its clients elsewhere" },
  "system-shutdown": {
    story: (node) => {
      const juliet = node.login("juliet", "balcony");
      node.deliver({ type: "shutdown-requested" });
      return node.read(juliet);
    },
  },
  "undefined-condition": { never: "every end that we know has a condition of its own" },
  "unsupported-encoding": { said: "<?xml version='1.0' encoding='ISO-8859-1'?>" },
  "unsupported-feature": { never: "no feature of ours is mandatory for the client to offer" },
  "unsupported-stanza-type": bound("<letter to='juliet@localhost'/>"),
  "unsupported-version": { said: header.replace(" version='1.0'", "") },
};

const all = Object.entries(facts);
const met = all.flatMap(([condition, fact]) => ("never" in fact ? [] : [{ condition, fact }]));

test("stream errors: all 25 of RFC 6120 §4.9.3 are known, 17 are met", () => {
  expect(all).toHaveLength(25);
  expect(met).toHaveLength(17);
});

const secured: Partial<C2sOptions> = { tls, tlsMode: "tls" };

test.each(met)("stream errors: $condition, then the closing tag [RFC 6120 §4.9.3]", (each) => {
  const { condition, fact } = each;
  const answer = answerTo(fact);
  const found = new RegExp(`<stream:error><${condition} xmlns='[^']*streams'/>.*</stream:error>`);
  expect(answer).toMatch(found);
  expect(answer.replaceAll("</stream>", "</stream:stream>")).toMatch(
    /<\/stream:error><\/stream:stream>/,
  );
  expect(answer.match(/<stream:error>/g)).toHaveLength(1);
});

function answerTo(fact: Fact): string {
  if ("transcript" in fact) return replay(fact.transcript, secured);
  const node = new SmallNode();
  if ("story" in fact) return fact.story(node);
  return "said" in fact ? node.read(node.connect(fact.said)) : "";
}

test("stream errors: an error at the very start has a header before it [RFC 6120 §4.9.1.2]", () => {
  for (const said of ["text", "<wrong/>", "<!DOCTYPE x>", "<?php ?>", "\u0000"]) {
    const node = new SmallNode();
    const answer = node.read(node.connect(said));
    expect(answer).toMatch(/^<\?xml version='1.0'\?><stream:stream [^>]*><stream:error>/);
    expect(node.closed.size).toBe(1);
  }
});
