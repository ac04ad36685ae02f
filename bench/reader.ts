/**
 * Reader bench: what does one stanza cost in CPU to read, and to read and forward?
 *
 * Each case runs in a process of its own, for call sites shared with an earlier case would make it look
 * slower. `node scripts/run.mjs bench/reader.ts` prints a table; the figures are medians of 3 processes.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Reader } from "../src/xmpp/reader.ts";
import type { Stanza } from "../src/xmpp/stanza.ts";

const HEADER =
  "<stream:stream to='localhost' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";
const chat = (body: string): string =>
  `<message to='user17@localhost/load' type='chat' id='m-184467'><body>${body}</body></message>`;

const STANZAS: Readonly<Record<string, string>> = {
  short: chat("The quick brown fox jumps over the lazy dog, again and again and again and again."),
  rich:
    "<message to='juliet@capulet.example/balcony' type='chat' id='ktx72v49' xml:lang='en'><body>Art thou not Romeo, and a " +
    "Montague?</body><active xmlns='http://jabber.org/protocol/chatstates'/><request xmlns='urn:xmpp:receipts'/>" +
    "<origin-id xmlns='urn:xmpp:sid:0' id='de305d54-75b4-431b-adb2-eb6b9e546013'/></message>",
  cyrillic: chat(
    "Съешь же ещё этих мягких французских булок, да выпей чаю. Съешь же ещё этих булок",
  ),
  big: chat("All work and no play makes Jack a dull boy. ".repeat(94)),
};

type Work = (stanza: Stanza) => number;
const WORK: Readonly<Record<string, Work>> = {
  read: (stanza) => stanza.size,
  "read + write": (stanza) =>
    stanza.write("jabber:client", { from: "user3@localhost/load" }).length,
  "read + tree": (stanza) => stanza.element().children.length,
};

function measure(xml: string, perChunk: number, work: Work): number {
  const reader = new Reader({ maxStanzaSize: 262_144 });
  reader.push(Buffer.from(HEADER));
  while (reader.next() !== undefined);
  const chunk = Buffer.from(xml.repeat(perChunk));
  const run = (stanzas: number): number => {
    let sum = 0;
    for (let i = 0; i < stanzas; i += perChunk) {
      reader.push(chunk);
      for (let event = reader.next(); event !== undefined; event = reader.next()) {
        if (event.kind === "element") sum += work(event);
      }
    }
    return sum;
  };
  run(100_000);
  const stanzas = 300_000;
  const before = process.cpuUsage();
  run(stanzas);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / stanzas;
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? 0;

function main(): void {
  const [stanza, perChunk, work] = process.argv.slice(2);
  if (stanza !== undefined && perChunk !== undefined && work !== undefined) {
    const micros = measure(STANZAS[stanza] ?? "", Number(perChunk), WORK[work] ?? (() => 0));
    console.log(micros);
    return;
  }
  const cases = [...Object.keys(STANZAS).map((name) => [name, 1] as const), ["short", 20] as const];
  const table = cases.map(([name, count]) => {
    const row: Record<string, string | number> = {
      stanza: count === 1 ? name : `${name} x ${count} a chunk`,
      bytes: Buffer.byteLength(STANZAS[name] ?? ""),
    };
    for (const kind of Object.keys(WORK)) {
      const runs = [1, 2, 3].map(() => {
        const args = [
          ...process.execArgv,
          fileURLToPath(import.meta.url),
          name,
          String(count),
          kind,
        ];
        return Number(spawnSync(process.execPath, args, { encoding: "utf8" }).stdout);
      });
      row[`${kind}, us`] = median(runs).toFixed(2);
    }
    return row;
  });
  console.table(table);
}

main();
