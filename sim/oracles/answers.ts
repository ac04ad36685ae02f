/**
 * Answers: is every IQ request answered exactly once, by whom it was sent to (RFC 6120 §8.2.3)?
 *
 * A request that was given to no client is its server's to answer, whoever has ended.
 * An answer on a link that dies waits until the asker's node is in sight again: no split excuses its loss. Nor does
 * the end of the node that was asked: the asker's own answers in its place. But not before its time: who has been
 * asked and has answered is heard, unless its node has left or was out of sight for as long as an asker waits. And
 * nobody waits longer than that for a node out of sight, nor for one that has left or has a successor.
 */
import { GivenUp } from "./given-up.ts";
import { requestPatience } from "../../src/server/requests.ts";
import { leftInOrder, type Login } from "./logins.ts";
import type { Gathered, Oracle, Verdict } from "./oracle.ts";
import { UnknownHosts } from "./unknown-hosts.ts";
import { OutOfSight } from "./out-of-sight.ts";
import type { TraceEvent, TraceKind, TraceKinds } from "../trace.ts";
import { bareOf, userOf } from "../addresses.ts";
import type { Behaviour, Plan } from "../plan.ts";

interface Request {
  readonly id: string;
  readonly login: string;
  readonly to: string;
  readonly about: string;
  readonly at: number;
  /** The process that has its addressee, where that is certain and another than its asker's. */
  readonly peer: string | undefined;
  answers: number;
  /** When it was given to its addressee, and when an answer left its asker's node. */
  givenAt: number;
  writtenAt: number;
  /** When it was last written to a client that had not answered. */
  reachedAt: number;
  /** Who has answered it, for all that it knows, and when. */
  answeredBy: string | undefined;
  answeredAt: number;
  /** Has a node written it, or its answer, to any client? Until then no end of a client excuses that it has none. */
  written: boolean;
  /** Handed back by a link that died: it need not have been heard. */
  handedBack: boolean;
}

const underWayMaxMs = 160_000;
/** Besides, until a node that has died has an answer given in its place: so many times an asker's patience. */
const underWayMs = 40_000;
const returns = 4;
/** Clocks drift, and steps end when they end. */
const tolerance = 0.05;
const slackMs = 1_000;

function endedMeanwhile({ endedAt, nodeClosedAt }: Login, at: number, period: number): boolean {
  return (
    (endedAt ?? Infinity) <= at + period && Math.max(endedAt ?? 0, nodeClosedAt ?? Infinity) >= at
  );
}

function longestThought(behaviour: Behaviour): number {
  return ("answersMs" in behaviour ? behaviour.answersMs?.[1] : undefined) ?? 0;
}

class Answers implements Oracle {
  readonly name = "answers";
  readonly counts = "requests";
  readonly sees: readonly TraceKind[];
  readonly #patience: number;
  /** The longest that a client takes before it answers, ms. */
  readonly #thought: number;
  readonly #unknownHosts: UnknownHosts;
  readonly #gathered: Gathered;
  readonly #requests = new Map<string, Request>();
  readonly #failures: string[] = [];
  /** Answers that were given and not heard: a failure unless a node says that it has given some up. */
  readonly #unheard: { readonly id: string; readonly what: string }[] = [];
  readonly #outOfSight = new OutOfSight();
  /** Connections that were ever full: what is written there is written late. */
  readonly #congested = new Set<number>();
  /** Answers that nodes say they have given up: nobody in sight had asked. */
  readonly #givenUp = new GivenUp();
  #now = 0;

  constructor(plan: Plan, gathered: Gathered) {
    const { topology } = plan;
    this.#unknownHosts = new UnknownHosts(plan);
    this.sees = [
      ...gathered.logins.sees,
      ...gathered.replicas.sees,
      ...gathered.written.sees,
      ...this.#outOfSight.sees,
      "iq-sent",
      "answer-given",
      "iq-answered",
      "connection-congested",
      ...this.#givenUp.sees,
      "registry-observed",
    ];
    this.#gathered = gathered;
    this.#patience = topology.cluster?.bounds?.requestPatience ?? requestPatience;
    this.#thought = Math.max(0, ...plan.clients.map(({ behaviour }) => longestThought(behaviour)));
  }

  see(event: TraceEvent): void {
    this.#gathered.logins.see(event);
    this.#gathered.replicas.see(event);
    this.#outOfSight.see(event);
    this.#givenUp.see(event);
    const { kind, data, at, place } = event;
    this.#now = at;
    for (const id of this.#gathered.written.see(event)) this.#wrote(id, place, at);
    switch (kind) {
      case "iq-sent": {
        this.#requests.set(data.id, {
          id: data.id,
          login: data.login,
          to: data.to,
          about: data.about,
          at,
          peer: this.#peerOf(data),
          answers: 0,
          givenAt: Infinity,
          writtenAt: Infinity,
          reachedAt: -Infinity,
          answeredBy: undefined,
          answeredAt: Infinity,
          written: false,
          handedBack: false,
        });
        return;
      }
      case "answer-given": {
        const request = this.#requests.get(data.id);
        if (request === undefined) return;
        request.answeredBy = data.login;
        request.answeredAt = at;
        return;
      }
      case "iq-answered":
        return this.#answered(data, at);
      case "peer-down":
        for (const id of data.handedBack ?? []) {
          const request = this.#requests.get(id);
          if (request === undefined) continue;
          // Its answer has the same id, and comes back elsewhere.
          const answering = this.#gathered.logins.get(request.answeredBy ?? "")?.node;
          if (answering !== place) request.handedBack = true;
        }
        return;
      case "connection-congested":
        this.#congested.add(data.connection);
        return;
      default:
    }
  }

  judge(cut = false): Verdict {
    const { logins } = this.#gathered;
    let unknown = 0;
    for (const request of this.#requests.values()) {
      const { id, login, to, at, answers } = request;
      if (answers > 0) continue;
      const asker = logins.get(login);
      const late = this.#now >= at + this.#patience * returns + underWayMs;
      const left = asker !== undefined && endedMeanwhile(asker, at, underWayMaxMs);
      const mustBeTold = !request.written && this.#nothingTookItAlong(request);
      const excused =
        // What its own node answers comes before the closing tag.
        (left && !(!to.includes("/") && leftInOrder(asker))) ||
        this.#addressees(to).some(
          (each) =>
            endedMeanwhile(each, at, underWayMaxMs) && !(late && logins.endedWithItsNode(each)),
        );
      // What is sent to a machine without power arrives nowhere, and nothing says so.
      const inTheDark = logins.hasNoPower(logins.get(login)?.node ?? "");
      const mayYetCome = this.#isUnderWay(request) || this.#mayYetBeAnswered(request);
      if (cut || (excused && !mustBeTold) || inTheDark || mayYetCome) unknown += 1;
      else this.#failures.push(`${id} to "${to}", sent at ${at} ms, was never answered`);
    }
    for (const request of this.#requests.values()) this.#judgeWait(request);
    const unheard = cut ? [] : this.#unheard.filter(({ id }) => !this.#givenUp.has(id));
    this.#failures.push(...unheard.map(({ what }) => what));
    return { judged: this.#requests.size - unknown, unknown, failures: this.#failures };
  }

  /** Its asker is there, and no process ended that may have had it, nor says that it has given an answer up. */
  #nothingTookItAlong({ id, login, at }: Request): boolean {
    const { logins } = this.#gathered;
    const asker = logins.get(login);
    const stays = asker?.endedAt === undefined && asker?.nodeClosedAt === undefined;
    return stays && !this.#givenUp.has(id) && !logins.anyNodeEnded(at);
  }

  /** It came late to somebody who may take some time, and its answer may travel as long as it did. */
  #isUnderWay({ at, reachedAt, answeredAt }: Request): boolean {
    const left = Math.min(answeredAt, reachedAt + this.#thought);
    return this.#now < left + Math.max(slackMs, reachedAt - at);
  }

  /** What a node gives up of the answers that a lost link gave back, the asker's node makes up for later. */
  #mayYetBeAnswered({ id, login, at, peer }: Request): boolean {
    const { logins } = this.#gathered;
    const node = logins.get(login)?.node;
    if (node === undefined) return false;
    if (!this.#givenUp.has(id) && (peer === undefined || !logins.anyNodeEnded(at))) return false;
    // Who has given it up was asked, though it be uncertain who else may have been.
    const absences =
      peer === undefined ? this.#outOfSight.allOf(node) : this.#outOfSight.of(node, peer);
    const lostAt = Math.max(...absences.map(({ since }) => since).filter((since) => since >= at));
    return this.#now < lostAt + this.#patience * returns + slackMs;
  }

  #wrote(id: string, place: string, at: number): void {
    const { logins, replicas } = this.#gathered;
    const request = this.#requests.get(id);
    if (request === undefined) return;
    request.written = true;
    if (request.answeredBy === undefined) request.reachedAt = at;
    if (request.peer === undefined) return;
    if (place === logins.get(request.login)?.node) {
      request.writtenAt = Math.min(at, request.writtenAt);
    } else if (place === replicas.processes.get(request.peer)?.node) {
      request.givenAt = Math.min(at, request.givenAt);
    }
  }

  /** Who may have taken a request with it when it ended. Nodes themselves answer what is sent to users. */
  #addressees(to: string): readonly Login[] {
    const { logins } = this.#gathered;
    if (!to.includes("/")) return [];
    const bound = logins.ofUser(bareOf(to)).filter(({ jid }) => jid === to);
    // Bound at its node, perhaps, though it was never told.
    return [...bound, ...logins.unboundOf(userOf(to))];
  }

  /** It has been with one process ever since, as far as anybody was told. */
  #peerOf({ login, to }: TraceKinds["iq-sent"]): string | undefined {
    const { logins, replicas } = this.#gathered;
    const asked = this.#addressees(to);
    const [first] = asked;
    if (first === undefined || asked.some(({ node }) => node !== first.node)) return undefined;
    const home = logins.get(login)?.node;
    return first.node === home ? undefined : replicas.running.get(first.node)?.peer;
  }

  #judgeWait(request: Request): void {
    const { id, login, to, at, peer, givenAt, writtenAt } = request;
    const { logins, replicas } = this.#gathered;
    const asker = logins.get(login);
    if (asker === undefined || peer === undefined) return;
    if (this.#congested.has(asker.connection ?? 0)) return;
    // Who takes its addressee's name elsewhere later has nothing to do with it, unless it was looked up again.
    const relevantUntil = request.handedBack ? Infinity : givenAt;
    const home = replicas.processes.get(peer)?.node;
    const elsewhere = this.#addressees(to).filter(({ node }) => node !== home);
    if (elsewhere.some(({ startedAt }) => startedAt <= relevantUntil)) return;
    const absence = this.#outOfSight.of(asker.node, peer).find(({ since }) => since >= givenAt);
    if (absence === undefined) return;
    const { since, until, final, succeededAt } = absence;
    const given = Math.min(final ? 0 : this.#patience * (1 + tolerance), succeededAt - since);
    const due = since + given + slackMs;
    const ended = Math.min(asker.endedAt ?? Infinity, asker.nodeClosedAt ?? Infinity);
    const awakeAt = replicas.running.get(asker.node)?.awakeAt ?? Infinity;
    if (Math.min(until, ended, writtenAt, this.#now) <= due || awakeAt > at) return;
    this.#failures.push(
      `${id} to ${to}, sent at ${at} ms, waited for ${peer}, out of sight since ${since} ms`,
    );
  }

  #answered({ login, id, from, outcome }: TraceKinds["iq-answered"], at: number): void {
    const { logins } = this.#gathered;
    const request = this.#requests.get(id);
    if (request === undefined || !logins.sameAddress(request.login, login)) {
      this.#failures.push(`${login} received an answer to ${id}, which it never asked`);
      return;
    }
    if (request.login !== login) {
      // What another client says, or its queue gives back at the same node, goes to whoever has the address by then.
      // Of what has been asked of other nodes a node answers only those who have asked.
      const node = logins.get(login)?.node;
      const here = this.#addressees(request.to).some((addressee) => addressee.node === node);
      if (request.answeredBy !== undefined || request.peer === undefined || here) return;
      this.#failures.push(
        `${login} was told of ${id}, which ${request.login} had asked: ${outcome}`,
      );
      return;
    }
    request.answers += 1;
    if (request.answers > 1) {
      this.#failures.push(`${id} was answered ${request.answers} times`);
    }
    const own = logins.get(login)?.jid ?? "";
    const addressee = request.to === "" ? ["", bareOf(own), own] : [request.to];
    if (!addressee.includes(from)) {
      this.#failures.push(`${id} was sent to "${request.to}" but answered from "${from}"`);
    }
    const wrong = this.#unknownHosts.wrong(id, request.to, outcome);
    if (wrong !== undefined) this.#failures.push(wrong);
    if (request.about === "unknown" && outcome !== "service-unavailable") {
      this.#failures.push(`${id} asked for what nobody implements and was answered ${outcome}`);
    }
    if (request.about === "ping" && outcome !== "result") this.#refused(request, outcome, at);
  }

  /** Though it was answered: somebody spoke in its addressee's place. */
  #refused(request: Request, outcome: string, at: number): void {
    const { logins, replicas } = this.#gathered;
    const { id, login, to, answeredBy, handedBack } = request;
    const [asker, asked] = [logins.get(login), logins.get(answeredBy ?? "")];
    if (asker === undefined || asked === undefined || handedBack) return;
    if (asked.endedAt !== undefined || asked.nodeClosedAt !== undefined) return;
    // Read late, from a process that has ended: what it had lost, its successor does not know.
    if (logins.nodeEnded(asker.node, request.at, at)) return;
    const peer = replicas.running.get(asked.node)?.peer ?? "";
    const waited = this.#patience * (1 - tolerance);
    const absences = this.#outOfSight.of(asker.node, peer);
    const hadTime = absences.some(({ since, until }) => {
      // Nor longer for who came back: what its link had lost has come by then.
      return Math.min(at, until) - since >= waited || at - since >= returns * waited;
    });
    if (hadTime) return;
    const what = `${id} was answered by ${answeredBy}, but ${to} was said to be ${outcome} (${at} ms)`;
    this.#unheard.push({ id, what });
  }
}

export function answers(plan: Plan, gathered: Gathered): Oracle {
  return new Answers(plan, gathered);
}
