/** Logins: what several oracles must know of each login, gathered from the trace. */
import { bareOf } from "../addresses.ts";
import { clientOf } from "../kit/network.ts";
import type { TraceEvent, TraceKind, TraceKinds } from "../trace.ts";

export interface Login {
  readonly login: string;
  readonly client: string;
  readonly user: string;
  readonly startedAt: number;
  readonly node: string;
  /** Full JID; "" before binding. */
  jid: string;
  boundAt: number | undefined;
  /** When the client closed its stream, whose end may wait for the server's answer. */
  leavingAt: number | undefined;
  /** When the client's end was gone. */
  endedAt: number | undefined;
  /** Both streams were closed in order, and not because the node would serve it no longer. */
  clean: boolean;
  /** When the node learned that the connection was gone, or gave it up. */
  nodeClosedAt: number | undefined;
  connection: number | undefined;
  /** When the node accepted its connection; another process of the node may have let it wait before. */
  openedAt: number | undefined;
}

/** A node that ends a stream for these reads no more of it, whatever is under way. */
const nodesOwnReasons: ReadonlySet<string> = new Set([
  "conflict",
  "connection-timeout",
  "internal-server-error",
  "resource-constraint",
  "system-shutdown",
]);

export class Logins {
  readonly sees: readonly TraceKind[] = [
    "login-started",
    "connection-opened",
    "login-bound",
    "login-leaving",
    "stream-error-received",
    "login-ended",
    "connection-closed",
    "close-asked",
    "node-started",
    "shutdown-requested",
    "node-killed",
    "node-stopped",
  ];
  readonly #all = new Map<string, Login>();
  readonly #byConnection = new Map<number, Login>();
  readonly #givenUp = new Set<string>();
  /** Machines without power. */
  readonly #dark = new Set<string>();
  /** `silent`: of a machine that lost its power, so that no client was told. */
  readonly #deaths: { readonly node: string; readonly at: number; readonly silent: boolean }[] = [];
  /** When each node was last told to stop, or died. */
  readonly #ends: { readonly node: string; readonly at: number }[] = [];
  readonly #byBare = new Map<string, Login[]>();
  readonly #byUser = new Map<string, Login[]>();
  /** By user: logins that a node has accepted and not closed, and when others were closed, in that order. */
  readonly #open = new Map<string, { readonly logins: Set<Login>; readonly closedAt: number[] }>();
  /** By bare JID: those that were told one, and that neither side has ended. */
  readonly #live = new Map<string, Set<Login>>();
  readonly #lastOf = new Map<string, Login>();
  #latest: TraceEvent | undefined;

  /** The same event again is no news: several oracles ask one of these. */
  see(event: TraceEvent): void {
    if (event === this.#latest) return;
    this.#latest = event;
    this.#take(event);
  }

  #take({ at, place, kind, data }: TraceEvent): void {
    switch (kind) {
      case "login-started": {
        const login = newLogin(data, at);
        this.#all.set(data.login, login);
        this.#lastOf.set(login.client, login);
        add(this.#byUser, login.user, login);
        break;
      }
      case "connection-opened": {
        const login = this.#all.get(data.login);
        if (login === undefined) break;
        login.connection = data.connection;
        login.openedAt = at;
        this.#byConnection.set(data.connection, login);
        this.#opened(login);
        break;
      }
      case "login-bound": {
        const login = this.#all.get(data.login);
        if (login === undefined) break;
        login.jid = data.jid;
        login.boundAt = at;
        add(this.#byBare, bareOf(data.jid), login);
        this.#isLive(login);
        break;
      }
      case "login-leaving": {
        const login = this.#all.get(data.login);
        if (login !== undefined) login.leavingAt = at;
        break;
      }
      case "stream-error-received":
        if (nodesOwnReasons.has(data.condition)) this.#givenUp.add(data.login);
        break;
      case "login-ended": {
        const login = this.#all.get(data.login);
        if (login === undefined) break;
        login.endedAt = at;
        this.#live.get(bareOf(login.jid))?.delete(login);
        login.clean = data.clean && !this.#givenUp.delete(data.login);
        break;
      }
      case "connection-closed":
      case "close-asked": {
        const login = this.#byConnection.get(data.connection);
        if (login !== undefined) this.#closed(login, at);
        break;
      }
      case "node-started":
        this.#dark.delete(place);
        break;
      case "shutdown-requested":
        this.#ends.push({ node: place, at });
        break;
      case "node-killed":
      case "node-stopped": {
        this.#ends.push({ node: place, at });
        const silent = kind === "node-killed" && data.silent;
        if (silent) this.#dark.add(place);
        this.#deaths.push({ node: place, at, silent });
        for (const login of this.#byConnection.values()) {
          if (login.node === place) this.#closed(login, at);
        }
        break;
      }
    }
  }

  #opened(login: Login): void {
    let open = this.#open.get(login.user);
    if (open === undefined)
      this.#open.set(login.user, (open = { logins: new Set(), closedAt: [] }));
    open.logins.add(login);
  }

  #isLive(login: Login): void {
    if (login.endedAt !== undefined || login.nodeClosedAt !== undefined) return;
    const bare = bareOf(login.jid);
    const others = this.#live.get(bare);
    if (others === undefined) this.#live.set(bare, new Set([login]));
    else others.add(login);
  }

  #closed(login: Login, at: number): void {
    if (login.nodeClosedAt !== undefined) return;
    login.nodeClosedAt = at;
    this.#live.get(bareOf(login.jid))?.delete(login);
    const open = this.#open.get(login.user);
    if (open?.logins.delete(login) === true) open.closedAt.push(at);
  }

  /** Does nothing answer what is sent there? */
  hasNoPower(node: string): boolean {
    return this.#dark.has(node);
  }

  /** Did a process of this node end in this period? */
  nodeEnded(node: string, from: number, until: number): boolean {
    return this.#deaths.some(
      (death) => death.node === node && death.at >= from && death.at <= until,
    );
  }

  /** Was it there, for both sides, until the process that served it began to end? */
  endedWithItsNode({ node, startedAt, openedAt, endedAt, nodeClosedAt }: Login): boolean {
    const first = Math.min(endedAt ?? Infinity, nodeClosedAt ?? Infinity);
    const from = openedAt ?? startedAt;
    return this.#ends.some((end) => end.node === node && end.at >= from && end.at <= first);
  }

  /** Did the machine that served it lose its power? Who says nothing there learns of it by waiting in vain alone. */
  lostItsMachine({ node, startedAt, openedAt }: Login): boolean {
    const from = openedAt ?? startedAt;
    return this.#deaths.some(
      ({ silent, ...death }) => silent && death.node === node && death.at >= from,
    );
  }

  /** Did any process end since then? What it had in hand went with it. */
  anyNodeEnded(since: number): boolean {
    return this.#deaths.some(({ at }) => at >= since);
  }

  get(login: string): Login | undefined {
    return this.#all.get(login);
  }

  /** The latest of this client. */
  lastOf(client: string): Login | undefined {
    return this.#lastOf.get(client);
  }

  /** Those that were told a JID of this user, in that order. */
  ofUser(bare: string): readonly Login[] {
    return this.#byBare.get(bare) ?? [];
  }

  /** Of these, those that neither side has ended. */
  liveOf(bare: string): Iterable<Login> {
    return this.#live.get(bare) ?? [];
  }

  /** How many others of this login's user a node had accepted and not closed before this time. */
  besides(login: Login, since: number): number {
    const { logins, closedAt } = this.#open.get(login.user) ?? { logins: new Set(), closedAt: [] };
    let count = logins.size - Number(logins.has(login));
    for (let last = closedAt.length - 1; last >= 0 && (closedAt[last] ?? 0) >= since; last--) {
      count += 1;
    }
    if ((login.nodeClosedAt ?? -Infinity) >= since && login.connection !== undefined) count -= 1;
    return count;
  }

  /** Those that began with this user's name, in that order. */
  asUser(user: string): readonly Login[] {
    return this.#byUser.get(user) ?? [];
  }

  /** Do these logins have one full JID, one after the other? */
  sameAddress(one: string, other: string): boolean {
    return one === other || this.#all.get(one)?.jid === this.#all.get(other)?.jid;
  }

  /** Logins of this user that never got as far as to know their JID. */
  unboundOf(user: string): readonly Login[] {
    return this.asUser(user).filter(({ jid }) => jid === "");
  }
}

function add(all: Map<string, Login[]>, key: string, login: Login): void {
  const others = all.get(key);
  if (others === undefined) all.set(key, [login]);
  else others.push(login);
}

function newLogin({ login, user, node }: TraceKinds["login-started"], at: number): Login {
  return {
    login,
    client: clientOf(login),
    user,
    node,
    startedAt: at,
    jid: "",
    clean: false,
    boundAt: undefined,
    leavingAt: undefined,
    endedAt: undefined,
    nodeClosedAt: undefined,
    connection: undefined,
    openedAt: undefined,
  };
}

/** It closed its stream first: what it had said before was read, and answered as far as its node could. */
export function leftInOrder({ leavingAt, clean }: Login): boolean {
  return leavingAt !== undefined && clean;
}

/** Longer than any fault keeps a stanza under way. */
export const underWayMaxMs = 90_000;

/** Was this login there, for itself or for the node, when what was sent then may have been under way? */
export function mayHaveDied(login: Login, sentAt: number): boolean {
  if (login.endedAt === undefined && login.nodeClosedAt === undefined) return false;
  const gone = Math.max(login.endedAt ?? 0, login.nodeClosedAt ?? Number.MAX_SAFE_INTEGER);
  const lost = Math.min(login.endedAt ?? Number.MAX_SAFE_INTEGER, gone);
  return (
    gone >= sentAt && lost <= sentAt + underWayMaxMs && login.startedAt <= sentAt + underWayMaxMs
  );
}
