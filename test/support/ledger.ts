/**
 * Ledger: what became of every message that a fleet of clients sent across a cluster?
 *
 * Clients are spread over the nodes, send numbered messages to one another and log in elsewhere when
 * their stream is lost. A message ends as delivered or as an error to its sender. It may end in silence
 * only where nobody could know better: its sender's own stream was lost before the answer, or its
 * recipient's stream, to whose socket it may have been written.
 */
import { Client, type Node } from "./client.ts";

export interface LedgerOptions {
  /** STARTTLS ports of the nodes, in their order. */
  readonly ports: readonly number[];
  readonly users: readonly string[];
  /** Milliseconds between two messages of one client. */
  readonly every: number;
}

interface Sent {
  readonly id: string;
  readonly from: Member;
  readonly to: Member;
  /** Of the sender and of the recipient, when it was sent. */
  readonly sessions: { readonly from: number; readonly to: number };
  readonly at: number;
  delivered: number;
  errors: number;
}

interface Member {
  readonly user: string;
  port: number;
  client: Client | undefined;
  /** A new number at each login; 0 while there is none. */
  session: number;
  /** When it lost its stream. */
  readonly losses: number[];
  jid: string;
}

/** A message under way for longer than this was not hit by the loss of a stream. */
const underWay = 15_000;

export interface Account {
  readonly sent: number;
  readonly delivered: number;
  readonly errors: number;
  /** Unanswered, but with a stream lost on the way. */
  readonly excused: number;
  /** Ids of messages that nobody ever heard of again. */
  readonly lost: readonly string[];
  readonly duplicated: readonly string[];
  /** Messages that one session had from another after a later one. */
  readonly misordered: readonly string[];
  readonly losses: number;
}

export class Ledger {
  readonly #options: LedgerOptions;
  readonly #members: Member[] = [];
  readonly #sent = new Map<string, Sent>();
  readonly #lastSeen = new Map<string, number>();
  readonly #misordered = new Set<string>();
  #number = 0;
  #logins = 0;
  #running = false;
  #timer: NodeJS.Timeout | undefined;
  #returning: Promise<void>[] = [];

  constructor(options: LedgerOptions) {
    this.#options = options;
  }

  /** All log in; then they begin to talk. */
  async start(): Promise<void> {
    const { ports, users, every } = this.#options;
    this.#running = true;
    await Promise.all(
      users.map(async (user, index) => {
        const port = ports[index % ports.length] ?? 0;
        const member: Member = { user, port, client: undefined, session: 0, losses: [], jid: "" };
        this.#members.push(member);
        await this.#login(member);
      }),
    );
    let turn = 0;
    this.#timer = setInterval(() => {
      const member = this.#members[turn++ % this.#members.length];
      if (member !== undefined) this.#speak(member, turn);
    }, every / users.length);
  }

  get sent(): number {
    return this.#sent.size;
  }

  /** Members that are logged in now. */
  get online(): number {
    return this.#members.filter(({ client }) => client !== undefined).length;
  }

  /** Streams that were lost, of all members. */
  get losses(): number {
    return this.#members.reduce((sum, { losses }) => sum + losses.length, 0);
  }

  /** Messages that reached their addressee. */
  get delivered(): number {
    let count = 0;
    for (const { delivered } of this.#sent.values()) count += Math.min(1, delivered);
    return count;
  }

  /** Clients of this port log in at another from now on. */
  avoid(port: number): void {
    const others = this.#options.ports.filter((other) => other !== port);
    this.#members.forEach((member, index) => {
      if (member.port === port) member.port = others[index % others.length] ?? port;
    });
  }

  /** At the end of a test that failed before it came to `stop`. */
  abandon(): void {
    clearInterval(this.#timer);
    this.#running = false;
    for (const { client } of this.#members) client?.vanish();
  }

  /** No more is sent; what is under way has this long to arrive. Then everybody logs out. */
  async stop(patience = 15_000): Promise<Account> {
    clearInterval(this.#timer);
    const end = performance.now() + patience;
    while (performance.now() < end && [...this.#sent.values()].some((each) => isOpen(each))) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    this.#running = false;
    await Promise.allSettled(this.#returning);
    const account = this.#account();
    await Promise.allSettled(this.#members.map(async ({ client }) => client?.close()));
    return account;
  }

  #account(): Account {
    const all = [...this.#sent.values()];
    return {
      sent: all.length,
      delivered: all.filter(({ delivered }) => delivered > 0).length,
      errors: all.filter(({ errors }) => errors > 0).length,
      excused: all.filter((each) => isSilent(each) && isExcused(each)).length,
      lost: all
        .filter((each) => isOpen(each))
        .map(({ id, from, to }) => `${id} ${from.jid}>${to.jid}`),
      duplicated: all.filter(({ delivered }) => delivered > 1).map(({ id }) => id),
      misordered: [...this.#misordered],
      losses: this.losses,
    };
  }

  async #login(member: Member): Promise<void> {
    while (this.#running) {
      try {
        const { user, port } = member;
        const client = await Client.login({ port, user, resource: "ledger" });
        member.client = client;
        member.session = ++this.#logins;
        member.jid = client.jid;
        // What waited for the resource may have come together with the answer to the binding.
        for (const node of client.inbox.nodes.splice(0)) this.#received(member, node);
        client.inbox.onNode = (node) => this.#received(member, node);
        client.inbox.onEnd = () => client.send("</stream:stream>"); // or its node waits for it
        void client.inbox.closed.then(() => this.#lost(member, client));
        return;
      } catch {
        const { ports } = this.#options;
        member.port = ports[(ports.indexOf(member.port) + 1) % ports.length] ?? member.port;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }

  #lost(member: Member, client: Client): void {
    if (member.client !== client) return;
    member.client = undefined;
    member.session = 0;
    member.losses.push(performance.now());
    if (this.#running) this.#returning.push(this.#login(member));
  }

  #speak(from: Member, turn: number): void {
    const step = 1 + (turn % (this.#members.length - 1));
    const to = this.#members[(this.#members.indexOf(from) + step) % this.#members.length];
    if (from.client === undefined || to === undefined || to.jid === "") return;
    const id = `m${++this.#number}`;
    const sessions = { from: from.session, to: to.session };
    this.#sent.set(id, { id, from, to, sessions, at: performance.now(), delivered: 0, errors: 0 });
    from.client.send(`<message to='${to.jid}' id='${id}' type='chat'><body>${id}</body></message>`);
  }

  #received(member: Member, node: Node): void {
    if (node.name !== "message") return;
    const sent = this.#sent.get(node.attributes["id"] ?? "");
    if (sent === undefined) return;
    if (node.attributes["type"] === "error") {
      sent.errors += 1;
      return;
    }
    sent.delivered += 1;
    // What was on its way to a session that has ended may follow what went to its successor.
    if (sent.sessions.to !== member.session) return;
    const pair = `${sent.from.jid} (${sent.sessions.from})>${member.jid} (${member.session})`;
    const number = Number(sent.id.slice(1));
    const last = this.#lastSeen.get(pair) ?? 0;
    if (number > last) this.#lastSeen.set(pair, number);
    else this.#misordered.add(`${pair} ${sent.id}`);
  }
}

function isSilent(sent: Sent): boolean {
  return sent.delivered === 0 && sent.errors === 0;
}

function isExcused({ from, to, at }: Sent): boolean {
  return [...from.losses, ...to.losses].some((loss) => loss >= at && loss < at + underWay);
}

function isOpen(sent: Sent): boolean {
  return isSilent(sent) && !isExcused(sent);
}
