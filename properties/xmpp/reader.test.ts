/**
 * Reader laws: saxes, an independent strict parser, gives the same verdict and the same content for any
 * bytes; how the bytes are cut changes nothing; what is written is read back as what it meant.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { bytesFromBinary } from "../../src/base/bytes.ts";
import { Reader, type StreamHeader } from "../../src/xmpp/reader.ts";
import { Stanza } from "../../src/xmpp/stanza.ts";
import {
  chunkSizes,
  cut,
  meaningOf,
  spoiledStream,
  stanzaText,
  streamHeader,
  streamText,
  textOf,
} from "../arbitraries/xml.ts";
import { isDisputed, limits, oracle, read, STANZA_MAX } from "./two-readers.ts";

/** A machine may be busy with other things. */
const TIMEOUT = 60_000;

test(
  "a good stream is taken, with the content that saxes finds",
  () => {
    fc.assert(
      fc.property(streamText, chunkSizes, (text, sizes) => {
        const bytes = Buffer.from(text);
        const ours = read(cut(bytes, sizes));
        expect(ours.verdict).toBe("closed");
        expect(ours.stanzas).toEqual(oracle(bytes).stanzas);
      }),
      { numRuns: 400 },
    );
  },
  TIMEOUT,
);

test(
  "any bytes are taken or refused as by saxes, with the same content",
  () => {
    fc.assert(
      fc.property(spoiledStream, chunkSizes, (bytes, sizes) => {
        fc.pre(!isDisputed(bytes));
        const ours = read(cut(bytes, sizes));
        const theirs = oracle(bytes);
        expect(ours.verdict === "closed").toBe(theirs.taken);
        if (theirs.taken) expect(ours.stanzas).toEqual(theirs.stanzas);
      }),
      { numRuns: 1_500 },
    );
  },
  TIMEOUT,
);

test(
  "how bytes are cut changes neither the stanzas nor the verdict",
  () => {
    // So that what still waits for the end of a tag gets its verdict: more bytes than a stanza may have.
    const filler = Buffer.alloc(STANZA_MAX + 1, "x");
    fc.assert(
      fc.property(spoiledStream, chunkSizes, (bytes, sizes) => {
        const ended = Buffer.concat([bytes, filler]);
        const whole = read([ended]);
        expect(read([...cut(bytes, sizes), filler])).toEqual(whole);
      }),
      { numRuns: 1_000 },
    );
  },
  TIMEOUT,
);

test(
  "the head of a stanza says what its tree says",
  () => {
    fc.assert(
      fc.property(streamText, chunkSizes, (text, sizes) => {
        const stanzas: Stanza[] = [];
        read(cut(Buffer.from(text), sizes), stanzas);
        for (const stanza of stanzas) {
          const element = stanza.element();
          const own = (name: string): unknown => element.attrs[name];
          expect([stanza.to, stanza.from, stanza.type]).toEqual([
            own("to"),
            own("from"),
            own("type"),
          ]);
          const meaning = meaningOf(element);
          const names = meaning.children.flatMap((child) =>
            typeof child === "string" ? [] : child.name,
          );
          expect(`{${stanza.namespace}}${stanza.name}`).toBe(meaning.name);
          const payloads = stanza.payloads.map(
            (payload) => `{${payload.namespace}}${payload.name}`,
          );
          expect(payloads).toEqual(names.slice(0, 8));
        }
      }),
      { numRuns: 300 },
    );
  },
  TIMEOUT,
);

function single(header: string, text: string): Stanza | undefined {
  const reader = new Reader(limits);
  reader.push(Buffer.from(header + text));
  expect((reader.next() as StreamHeader).kind).toBe("opened");
  const event = reader.next();
  return event?.kind === "element" ? event.copy() : undefined;
}

const address = fc.option(fc.constantFrom("a@b/c", "é@x/'\"<&>", "new\nline", null), {
  nil: undefined,
});

test(
  "what is written is read back as what it was, with the addresses given",
  () => {
    const arbitrary = fc.record({
      header: streamHeader,
      text: stanzaText,
      from: address,
      to: address,
      made: fc.boolean(),
    });
    fc.assert(
      fc.property(arbitrary, ({ header, text, from, to, made }) => {
        const received = single(header, text);
        if (received === undefined) throw new Error("not read");
        // A tree made here without a namespace would be in jabber:client.
        fc.pre(!made || received.element().attrs["xmlns"] !== undefined);
        const stanza = made ? Stanza.of(received.element()) : received;
        const target = "<s:s xmlns='jabber:client' xmlns:s='urn:s'>";
        // jabber:server becomes jabber:client (RFC 6120 §4.8.3): not what this law is about.
        fc.pre(stanza.namespace !== "jabber:server");
        const written = stanza.write("jabber:client", { from, to });
        const back = single(target, textOf(bytesFromBinary(written)));
        const expected = meaningOf(received.element());
        const attributes: Record<string, string> = { ...expected.attributes };
        for (const [name, value] of [
          ["from", from],
          ["to", to],
        ] as const) {
          if (value === null) delete attributes[name];
          else if (value !== undefined) attributes[name] = value;
        }
        expect(back && meaningOf(back.element())).toEqual({ ...expected, attributes });
      }),
      { numRuns: 1_000 },
    );
  },
  TIMEOUT,
);

test(
  "what is written for a websocket needs no header",
  () => {
    fc.assert(
      fc.property(streamHeader, stanzaText, (header, text) => {
        const received = single(header, text);
        const reader = new Reader(limits, "message");
        reader.push(bytesFromBinary(received?.write("") ?? ""));
        const event = reader.next();
        expect(event?.kind === "element" && meaningOf(event.element())).toEqual(
          received && meaningOf(received.element()),
        );
      }),
      { numRuns: 300 },
    );
  },
  TIMEOUT,
);
