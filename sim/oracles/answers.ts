/**
 * Answers: is every IQ request answered exactly once, by whom it was sent to (RFC 6120 §8.2.3)?
 *
 * An answer on a link that dies waits until the asker's node is in sight again: no split excuses its loss. Nor does
 * the death of the node that had the request: the asker's node answers it. A client that went with it does.
 */
import { bareOf, leftInOrder, type Login } from "./logins.ts";
import type { Gathered, Oracle } from "./oracle.ts";
import { traffic } from "../trace.ts";
import { userOf, type Plan } from "../plan.ts";

interface Request {
  readonly id: string;
  readonly login: string;
  readonly to: string;
  readonly about: string;
  readonly at: number;
  answers: number;
}

const underWayMaxMs = 90_000;
/** So long after it left an asker whose addressee's node has died has an answer. */
const answeredForMs = 160_000;

function endedMeanwhile(login: Login, at: number, period: number): boolean {
  const { endedAt, nodeClosedAt } = login;
  return (
    (endedAt ?? Number.MAX_SAFE_INTEGER) <= at + period &&
    Math.max(endedAt ?? 0, nodeClosedAt ?? Number.MAX_SAFE_INTEGER) >= at
  );
}

export function answers(_plan: Plan, { logins }: Gathered): Oracle {
  const requests = new Map<string, Request>();
  const failures: string[] = [];
  let now = 0;
  /** Who may have taken a request with it when it ended. Nodes themselves answer what is sent to users. */
  function addressees(to: string): readonly Login[] {
    if (!to.includes("/")) return [];
    const bound = logins.ofUser(bareOf(to)).filter(({ jid }) => jid === to);
    // Bound at its node, perhaps, though it was never told.
    return [...bound, ...logins.unboundOf(userOf(to))];
  }

  function answered(login: string, id: string, from: string, outcome: string): void {
    const request = requests.get(id);
    if (request === undefined || !logins.sameAddress(request.login, login)) {
      failures.push(`${login} received an answer to ${id}, which it never asked`);
      return;
    }
    // It may meet a later login with the same address, which did not ask.
    if (request.login !== login) return;
    request.answers += 1;
    if (request.answers > 1) {
      failures.push(`${id} was answered ${request.answers} times`);
    }
    const own = logins.get(login)?.jid ?? "";
    const addressee = request.to === "" ? ["", bareOf(own), own] : [request.to];
    if (!addressee.includes(from)) {
      failures.push(`${id} was sent to "${request.to}" but answered from "${from}"`);
    }
    if (request.about === "unknown" && outcome !== "service-unavailable") {
      failures.push(`${id} asked for what nobody implements and was answered ${outcome}`);
    }
  }

  return {
    name: "answers",
    counts: "requests",
    ignores: traffic,
    see(event) {
      logins.see(event);
      const { kind, data, at } = event;
      now = at;
      if (kind === "iq-sent") {
        requests.set(data.id, { ...data, at, answers: 0 });
      } else if (kind === "iq-answered") {
        answered(data.login, data.id, data.from, data.outcome);
      }
    },
    judge() {
      let unknown = 0;
      for (const { id, login, to, at, answers: count } of requests.values()) {
        if (count > 0) continue;
        const asker = logins.get(login);
        const late = now >= at + answeredForMs;
        const left = asker !== undefined && endedMeanwhile(asker, at, answeredForMs);
        const excused =
          // What its own node answers comes before the closing tag.
          (left && !(to === "" && leftInOrder(asker))) ||
          addressees(to).some(
            (each) =>
              endedMeanwhile(each, at, underWayMaxMs) && !(late && logins.diedWithNode(each)),
          );
        // What is sent to a machine without power arrives nowhere, and nothing says so.
        const inTheDark = logins.hasNoPower(logins.get(login)?.node ?? "");
        if (excused || inTheDark) unknown += 1;
        else failures.push(`${id} to "${to}", sent at ${at} ms, was never answered`);
      }
      return { judged: requests.size - unknown, unknown, failures };
    },
  };
}
