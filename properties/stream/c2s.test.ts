/** Laws of a client's stream, for any way of cutting its bytes. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { bytesFromText, textFromBytes } from "../../src/base/bytes.ts";
import type { C2sEffect } from "../../src/stream/c2s.ts";
import { expand, Player, tls } from "../../test/stream/transcript.ts";

const said = fc.constantFrom(
  ...["<message to='a@localhost' id='1'><body>é🦦</body></message>", "<presence/>", " \n"],
  ...["<iq type='get' id='2'><ping xmlns='urn:xmpp:ping'/></iq>", "<x></y>", "text", "</stream>"],
  ...["<iq type='set' id='b'><bind xmlns='bind'/></iq>", "<auth xmlns='sasl'/>", "<!-- -->"],
  ...[
    `<message><body>${"long ".repeat(100)}</body></message>`,
    "<message/>",
    "<open xmlns='framing'/>",
  ],
);
const script = fc.array(said, { maxLength: 8 });
const plain = ["<auth xmlns='sasl' mechanism='PLAIN'>AGp1bGlldABzZWNyZXQ=</auth>"];
const scram = [
  "<auth xmlns='sasl' mechanism='SCRAM-SHA-256'>biwsbj1qdWxpZXQscj1hYmM=</auth>",
  "<response xmlns='sasl'>Yz1iaXdzLHI9YWJjZGVmLHA9ZHg=</response>",
];
const preludeBy = (login: readonly string[]): readonly string[] => [
  "<stream to='localhost'>",
  ...login,
  "<stream to='localhost'>",
  "<iq type='set' id='b'><bind xmlns='bind'><resource>balcony</resource></bind></iq>",
];
const prelude = preludeBy(plain);
const preludes = fc.constantFrom(prelude, preludeBy(scram));

/** Plays bytes to a stream whose requests are answered at once, or only after all bytes were sent. */
function play(chunks: readonly Uint8Array[], answers: "at once" | "late"): string {
  const player = new Player({ tls, tlsMode: "tls", maxStanzaSize: 10_000 });
  let answered = 0;
  const answer = (): void => {
    for (; answered < player.effects.length; answered++) {
      const effect = player.effects[answered];
      const challenged = effect?.type === "authenticate" && effect.mechanism !== "PLAIN";
      if (challenged) player.play("W: challenge r=abcdef,s=YQ==,i=4096");
      else if (effect?.type === "authenticate" || effect?.type === "respond-to-challenge") {
        player.play("W: success juliet");
      }
      if (effect?.type === "bind") player.play("W: bound juliet@localhost/balcony");
    }
  };
  for (const bytes of chunks) {
    player.step({ type: "bytes-received", bytes });
    if (answers === "at once") answer();
  }
  answer();
  return essence(player.effects);
}

/** What was said and asked for, with neighbouring writes put together. */
function essence(effects: readonly C2sEffect[]): string {
  return effects
    .map((effect) => {
      if (effect.type === "write") return effect.data;
      if (effect.type === "stanza-received") return `\n${effect.stanza.write("jabber:client")}\n`;
      if (effect.type === "respond-to-challenge") return `\n${textFromBytes(effect.data)}\n`;
      if (effect.type !== "authenticate") return `\n${effect.type}\n`;
      const { mechanism, initial = new Uint8Array(0) } = effect;
      return `\n${mechanism} ${textFromBytes(initial)}\n`;
    })
    .join("");
}

function cut(bytes: Uint8Array, at: readonly number[]): readonly Uint8Array[] {
  const places = [...new Set(at.map((place) => place % (bytes.length + 1)))].toSorted(
    (a, b) => a - b,
  );
  const edges = [0, ...places, bytes.length];
  return edges.slice(1).map((end, index) => bytes.slice(edges[index], end));
}

test("stream: any cut of the bytes and any delay of the answers gives the same effects", () => {
  const cuts = fc.array(fc.nat(), { maxLength: 30 });
  fc.assert(
    fc.property(
      ...([preludes, script, cuts, fc.constantFrom("at once", "late")] as const),
      (first, lines, at, answers) => {
        const bytes = bytesFromText(expand([...first, ...lines].join("")));
        const whole = play([bytes], "late");
        expect(whole).toContain("\nbind\n");
        expect(play(cut(bytes, at), answers)).toBe(whole);
      },
    ),
    { numRuns: 400 },
  );
});

test("stream: byte by byte is the same as at once", () => {
  fc.assert(
    fc.property(preludes, script, (first, lines) => {
      const bytes = bytesFromText(expand([...first, ...lines].join("")));
      expect(play(cut(bytes, [...bytes.keys()]), "at once")).toBe(play([bytes], "at once"));
    }),
    { numRuns: 60 },
  );
});

test("stream: it ends once, is closed once, and every stanza for its client is written or handed back", () => {
  const event = fc.constantFrom(
    ...["W: deliver <message id='1'/>", "W: congested", "W: drained", "W: after 10000"],
    ...["W: after 60000", "W: end conflict", "W: end system-shutdown", "W: closed"],
    ...["C: </stream>", "C: <presence/>", "C: <x></y>"],
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 20 }), (events) => {
      const player = new Player({ tls, tlsMode: "tls" });
      for (const words of prelude.slice(0, 2)) player.play(`C: ${words}`);
      player.play("W: success juliet");
      for (const words of prelude.slice(2)) player.play(`C: ${words}`);
      player.play("W: bound juliet@localhost/balcony");
      for (const line of events) player.play(line);
      player.play("W: closed");
      const { effects } = player;
      const count = (type: C2sEffect["type"]): number =>
        effects.filter((effect) => effect.type === type).length;
      expect(count("ended")).toBe(1);
      expect(count("close")).toBeLessThanOrEqual(1);
      const given = events.filter((line) => line.startsWith("W: deliver")).length;
      const returned = effects.reduce(
        (sum, effect) => sum + (effect.type === "undelivered" ? effect.deliveries.length : 0),
        0,
      );
      const sent = effects.filter(
        (effect) => effect.type === "write" && effect.data.startsWith("<message"),
      ).length;
      expect(sent + returned).toBe(given);
    }),
    { numRuns: 500 },
  );
});
