/** Out of sight: from when to when did a node show nothing of a process that it had known? */
import type { TraceEvent, TraceKind } from "../trace.ts";
import { nameOf } from "./replicas.ts";

export interface Absence {
  readonly since: number;
  /** It has said goodbye. */
  readonly final: boolean;
  /** Until its records were shown again; Infinity: they never were. */
  until: number;
  /** From when on its successor was shown: then it is no more. */
  succeededAt: number;
}

export class OutOfSight {
  readonly sees: readonly TraceKind[] = ["peer-down", "table-seen", "node-started"];
  /** By node and peer. */
  readonly #absences = new Map<string, Absence[]>();

  see({ kind, data, at, place }: TraceEvent): void {
    switch (kind) {
      case "peer-down": {
        const key = `${place} ${data.peer}`;
        const all = this.#absences.get(key) ?? [];
        this.#absences.set(key, all);
        all.push({ since: at, final: data.final, until: Infinity, succeededAt: Infinity });
        return;
      }
      case "table-seen": {
        if (!data.fresh) return;
        // Several: a link may have come and gone before it showed anything.
        for (const absence of this.of(place, data.owner)) {
          absence.until = Math.min(absence.until, at);
        }
        return this.#shown(place, data.owner, at);
      }
      case "node-started":
        // Another process knows nothing of what its predecessor has lost.
        for (const key of this.#absences.keys()) {
          if (key.startsWith(`${place} `)) this.#absences.delete(key);
        }
    }
  }

  of(node: string, peer: string): readonly Absence[] {
    return this.#absences.get(`${node} ${peer}`) ?? [];
  }

  /** Of whomever. */
  allOf(node: string): readonly Absence[] {
    return [...this.#absences].flatMap(([key, all]) => (key.startsWith(`${node} `) ? all : []));
  }

  #shown(node: string, owner: string, at: number): void {
    const name = nameOf(owner);
    for (const [key, all] of this.#absences) {
      const [reader = "", peer = ""] = key.split(" ");
      const last = all.at(-1);
      if (reader !== node || peer === owner || nameOf(peer) !== name || last === undefined)
        continue;
      last.succeededAt = Math.min(last.succeededAt, at);
    }
  }
}
