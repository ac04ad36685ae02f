/**
 * Reader laws: saxes, an independent strict parser, gives the same verdict and the same content for any
 * bytes; how the bytes are cut changes nothing; what is written is read back as what it meant.
 */
import fc from "fast-check";
import { SaxesParser, type SaxesTagNS } from "saxes";
import { expect, test } from "vitest";
import { bytesFromBinary, isUtf8 } from "../../src/base/bytes.ts";
import { Reader, XmlError, type StreamHeader } from "../../src/xmpp/reader.ts";
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
  type Meaning,
} from "../arbitraries/xml.ts";

const STANZA_MAX = 40_000;
/** A machine may be busy with other things. */
const TIMEOUT = 60_000;
const limits = { maxStanzaSize: STANZA_MAX };

interface Outcome {
  readonly stanzas: readonly Meaning[];
  /** A stream error condition, or how far a stream without error came. */
  readonly verdict: string;
  readonly header?: unknown;
}

/** Pushes each chunk in a buffer that is overwritten afterwards, as a socket's is. */
function read(chunks: readonly Uint8Array[], heads?: Stanza[]): Outcome {
  const reader = new Reader(limits);
  const stanzas: Meaning[] = [];
  let header: unknown;
  let verdict = "reads on";
  const shared = new Uint8Array(Math.max(1, ...chunks.map((chunk) => chunk.length)));
  try {
    for (const chunk of chunks) {
      shared.set(chunk);
      reader.push(shared.subarray(0, chunk.length));
      for (let event = reader.next(); event !== undefined; event = reader.next()) {
        if (event.kind === "opened") header = { ...event, attributes: [...event.attributes] };
        else if (event.kind === "closed") verdict = "closed";
        else {
          stanzas.push(withoutLang(meaningOf(event.element())));
          heads?.push(event);
        }
      }
      shared.fill(0x3c);
    }
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    verdict = error.condition;
  }
  return { stanzas, verdict, header };
}

/** The stream's language is added to a stanza without one; saxes does not know of that. */
function withoutLang(meaning: Meaning): Meaning {
  const { "{http://www.w3.org/XML/1998/namespace}lang": _, ...attributes } = meaning.attributes;
  return { ...meaning, attributes };
}

class Refused extends Error {}

/** saxes lets a local part begin with what no name may begin with (Namespaces in XML 1.0 §4). */
const beginsWrongly = (local: string): boolean =>
  /^[-.0-9\u00B7\u203F\u2040]/.test(local) || (local >= "\u0300" && local < "\u0370");

/** What saxes makes of it, less what RFC 6120 forbids and XML allows. */
function oracle(bytes: Uint8Array): { taken: boolean; stanzas: readonly Meaning[] } {
  if (!isUtf8(bytes)) return { taken: false, stanzas: [] };
  const stanzas: Meaning[] = [];
  const open: {
    name: string;
    attributes: Record<string, string>;
    children: (Meaning | string)[];
  }[] = [];
  const refuse = (): never => {
    throw new Refused();
  };
  const text = (content: string): void => {
    const parent = open.at(-1);
    if (open.length === 1 && !/^[ \t\r\n]*$/.test(content)) refuse();
    if (parent === undefined || content === "") return;
    const last = parent.children.at(-1);
    if (typeof last === "string") parent.children[parent.children.length - 1] = last + content;
    else parent.children.push(content);
  };
  const parser = new SaxesParser({ xmlns: true, fragment: false });
  parser.on("error", refuse);
  parser.on("comment", refuse);
  parser.on("processinginstruction", refuse);
  parser.on("doctype", refuse);
  parser.on("xmldecl", ({ encoding }) => {
    if ((encoding ?? "utf-8").toLowerCase() !== "utf-8") refuse();
  });
  parser.on("text", text);
  parser.on("cdata", (content) => (open.length < 2 ? refuse() : text(content)));
  parser.on("opentag", (tag: SaxesTagNS) => {
    if (tag.prefix === "xml" || "__proto__" in { ...tag.attributes, __proto__: null }) refuse();
    const locals = [tag, ...Object.values(tag.attributes)].map(({ local }) => local);
    if (locals.some(beginsWrongly)) refuse();
    open.push({ name: `{${tag.uri}}${tag.local}`, attributes: attributesOf(tag), children: [] });
  });
  parser.on("closetag", () => {
    const element = open.pop();
    if (element === undefined) return;
    if (open.length > 1) open.at(-1)?.children.push(element);
    else if (open.length === 1) stanzas.push(withoutLang(element));
  });
  try {
    parser.write(textOf(bytes)).close();
    return { taken: true, stanzas };
  } catch (error) {
    if (error instanceof Refused) return { taken: false, stanzas };
    throw error;
  }
}

function attributesOf(tag: SaxesTagNS): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const { uri, prefix, local, value } of Object.values(tag.attributes)) {
    if (prefix === "xmlns" || (prefix === "" && local === "xmlns")) continue;
    attributes[prefix === "" ? local : `{${uri}}${local}`] = value;
  }
  return attributes;
}

/**
 * Two beginnings on which we differ: white space before the XML declaration is let pass, for clients send
 * some at a stream restart, and U+FEFF is not a mark of the encoding (RFC 6120 §11.6).
 */
const beginsOddly = (bytes: Uint8Array): boolean =>
  /^(?:[ \t\r\n]+<\?xml|\uFEFF)/.test(textOf(bytes));

/** saxes trims namespace names, of U+FEFF too; a name is what is written (Namespaces in XML 1.0 §2.3). */
const namesNamespaceBySpace = (bytes: Uint8Array): boolean =>
  /xmlns(?::[^=\s]*)?\s*=\s*(?:"(?:\s[^"]*|[^"]*\s)"|'(?:\s[^']*|[^']*\s)')/.test(textOf(bytes));

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
        fc.pre(!beginsOddly(bytes) && !namesNamespaceBySpace(bytes));
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
