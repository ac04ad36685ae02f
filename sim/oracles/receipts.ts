/**
 * Receipts: is what a peer has had, and has said so, ever handed back?
 *
 * Whatever a node writes to another says how much it has received: what it sends, its heartbeats, the hello of
 * its next connection, its leave. So once a node has read what its peer wrote after it had given a
 * stanza to a client, that stanza has its receipt: handed back nevertheless, it would come twice, or
 * come and bounce. What a node had no receipt for may (docs/roadmap.md), and what reaches it after it has given the
 * connection up is none.
 *
 * Of a new connection the hello alone says it, and is believed when the peer has proved itself: its next write.
 */
import { userOf } from "../addresses.ts";
import type { Plan } from "../plan.ts";
import type { TraceEvent, TraceKind, TraceKinds } from "../trace.ts";
import type { Logins } from "./logins.ts";
import type { Gathered, Oracle, OracleMaker, Verdict } from "./oracle.ts";
import type { Replicas } from "./replicas.ts";
import type { Written } from "./written.ts";

/** One end of a connection between nodes. */
interface End {
  /** The process whose end it is. */
  readonly process: string;
  /** The other end. */
  readonly other: number;
  /** What the other end has not read yet: when it was written, and after how many bytes it ends. */
  readonly writes: { readonly at: number; readonly endsAt: number }[];
  written: number;
  /** Of these bytes, those that the other end has read. */
  read: number;
  /** Its process has closed it: what reaches it afterwards, that one does not look at. */
  closed: boolean;
  helloAt: number | undefined;
  proved: boolean;
  /** What the process at the other end was told by this one; known from its first receipt on. */
  told: Told | undefined;
}

/** What one process has last been told by another. */
interface Told {
  /** When that was written. */
  writtenAt: number;
  /** By a hello that was proved at this moment, which may yet come to nothing. */
  hello: { readonly writtenAt: number; readonly provedAt: number } | undefined;
}

interface Sent {
  readonly to: string;
  readonly node: string;
  readonly at: number;
}

/** How long a stanza is under way between nodes. */
const staleMs = 30_000;

export const receipts: OracleMaker = (plan, gathered) => new Receipts(plan, gathered);

class Receipts implements Oracle {
  readonly name = "receipts";
  readonly counts = "stanzas that a link handed back";
  readonly sees: readonly TraceKind[];
  readonly #logins: Logins;
  readonly #replicas: Replicas;
  readonly #written: Written;
  readonly #ends = new Map<number, End>();
  /** By who was told, and by whom. */
  readonly #receipts = new Map<string, Told>();
  /** By id, of messages and requests. */
  readonly #sent = new Map<string, Sent>();
  /** By id and process: when that first wrote it to a client. */
  readonly #given = new Map<string, number>();
  readonly #handedBack = new Set<string>();
  /** Requests that a client has answered. */
  readonly #answered = new Set<string>();
  /** Users who refuse messages: nobody traces which. */
  readonly #decliners: ReadonlySet<string>;
  readonly #failures: string[] = [];
  #judged = 0;
  #unknown = 0;

  constructor(plan: Plan, { logins, replicas, written }: Gathered) {
    const decline = plan.clients.filter(
      ({ behaviour }) => "declines" in behaviour && (behaviour.declines ?? 0) > 0,
    );
    this.#decliners = new Set(decline.map(({ user }) => user));
    this.#logins = logins;
    this.#replicas = replicas;
    this.#written = written;
    this.sees = [
      ...logins.sees,
      ...replicas.sees,
      ...written.sees,
      "bytes-received",
      "close-asked",
      "message-sent",
      "iq-sent",
      "answer-given",
      "peer-down",
    ];
  }

  see(event: TraceEvent): void {
    this.#logins.see(event);
    this.#replicas.see(event);
    const { kind, data, at, place } = event;
    switch (kind) {
      case "connection-opened":
        if (data.listener === "cluster") this.#opened(data, place);
        break;
      case "bytes-sent": {
        const end = this.#ends.get(data.connection);
        if (end === undefined) break;
        end.written += data.data.length;
        end.writes.push({ at, endsAt: end.written });
        break;
      }
      case "close-asked": {
        const end = this.#ends.get(data.connection);
        if (end !== undefined) end.closed = true;
        break;
      }
      case "bytes-received":
        this.#read(data.connection, data.bytes.length, at);
        break;
      case "message-sent":
      case "iq-sent": {
        const node = this.#logins.get(data.login)?.node ?? "";
        this.#sent.set(data.id, { to: data.to, node, at });
        break;
      }
      case "answer-given":
        this.#answered.add(data.id);
        break;
      case "peer-down": {
        for (const id of data.handedBack ?? []) this.#returned(id, data.peer, place, at);
      }
    }
    for (const id of this.#written.see(event)) this.#gave(id, place, at);
  }

  /** The network numbers the end of who dials, and the other one next. */
  #opened({ connection, dial }: TraceKinds["connection-opened"], place: string): void {
    const process = this.#replicas.running.get(place)?.peer;
    if (process === undefined) return;
    const other = dial > 0 ? connection + 1 : connection - 1;
    const end = { process, other, writes: [], written: 0, read: 0, closed: false };
    this.#ends.set(connection, { ...end, helloAt: undefined, proved: false, told: undefined });
  }

  #gave(id: string, place: string, at: number): void {
    const process = this.#replicas.running.get(place)?.peer;
    const key = `${id} ${process}`;
    if (process !== undefined && !this.#given.has(key)) this.#given.set(key, at);
  }

  #read(connection: number, bytes: number, at: number): void {
    const reader = this.#ends.get(connection);
    const writer = this.#ends.get(reader?.other ?? 0);
    if (reader === undefined || writer === undefined || reader.closed) return;
    writer.read += bytes;
    for (;;) {
      const [first] = writer.writes;
      if (first === undefined || first.endsAt > writer.read) return;
      writer.writes.shift();
      this.#told(reader.process, writer, first.at, at);
    }
  }

  /** It has read all of a write. */
  #told(reader: string, writer: End, writtenAt: number, at: number): void {
    if (writer.helloAt === undefined) {
      writer.helloAt = writtenAt;
      return;
    }
    const told = (writer.told ??= this.#toldOf(`${reader} ${writer.process}`));
    if (writer.proved) told.writtenAt = Math.max(told.writtenAt, writtenAt);
    else told.hello = { writtenAt: writer.helloAt, provedAt: at };
    writer.proved = true;
  }

  #toldOf(way: string): Told {
    let told = this.#receipts.get(way);
    if (told === undefined) this.#receipts.set(way, (told = { writtenAt: -1, hello: undefined }));
    return told;
  }

  #returned(id: string, peer: string, place: string, at: number): void {
    // What came back before may have gone there by another way.
    const again = this.#handedBack.has(id);
    this.#handedBack.add(id);
    const sent = this.#sent.get(id);
    const self = this.#replicas.running.get(place)?.peer ?? "";
    const node = this.#replicas.processes.get(peer)?.node;
    // An answer, or a bounce, has the id of what it answers.
    if (sent === undefined || again || node === undefined || node === sent.node) return;
    this.#judged += 1;
    const givenAt = this.#given.get(`${id} ${peer}`);
    if (givenAt === undefined) return;
    if (this.#copies(sent, node) > 1 || this.#mayBeAnAnswer(id, sent)) {
      this.#unknown += 1;
      return;
    }
    const { writtenAt = -1, hello } = this.#receipts.get(`${self} ${peer}`) ?? {};
    const toldOf = hello?.provedAt === at ? Math.max(hello.writtenAt, writtenAt) : writtenAt;
    if (toldOf <= givenAt) return;
    this.#failures.push(
      `${place} handed ${id} back at ${at} ms, which ${node} had given its client at ${givenAt} ms and told of at ${toldOf} ms`,
    );
  }

  /** Whose asker has gone, and whose name has moved to the node that it came from: it goes back there, under the same id. */
  #mayBeAnAnswer(id: string, { to }: Sent): boolean {
    return this.#answered.has(id) || this.#decliners.has(userOf(to));
  }

  /**
   * To how many sessions at that node may it have been on its way? What is to a user goes to those at other nodes,
   * too, and whose session there has gone may get there by a second way.
   */
  #copies({ to, at }: Sent, node: string): number {
    const toUser = !to.includes("/");
    const all = this.#logins.asUser(userOf(to));
    const there = all.filter((login) => toUser || login.node === node);
    return there.filter(({ nodeClosedAt = Infinity }) => nodeClosedAt > at - staleMs).length;
  }

  judge(): Verdict {
    const judged = this.#judged - this.#unknown;
    return { judged, unknown: this.#unknown, failures: this.#failures };
  }
}
