/** Split scene: a scene whose other sessions are records of a second node. */
import { binaryFromText } from "../../src/base/bytes.ts";
import { Partition } from "../../src/cluster/partition.ts";
import type { Peer } from "../../src/cluster/peer.ts";
import { ReplicatedTable } from "../../src/cluster/table.ts";
import { tablesLimits } from "../../src/cluster/tables.ts";
import { encodeSession, sessionTable } from "../../src/router/session-record.ts";
import type { Session } from "../../src/router/session.ts";
import type { Transit } from "../../src/router/stanza-frame.ts";
import type { Stanza } from "../../src/xmpp/stanza.ts";
import { jid, Scene, wordsOf } from "./scene.ts";

const here: Peer = { name: "here", incarnation: 1, boot: "0000000000000001" };
export const there: Peer = { name: "there", incarnation: 1, boot: "0000000000000002" };

export class SplitScene extends Scene {
  readonly #replica = new Partition(there, sessionTable.indexBy);
  #seq = 0;

  constructor() {
    super();
    const table = new ReplicatedTable(here, sessionTable, tablesLimits);
    table.show(this.#replica);
    this.directory.join(here, table);
  }

  /** A session of the other node. */
  bindThere(full: string, priority?: number): void {
    const seq = ++this.#seq;
    const sid = seq.toString(16).padStart(32, "0");
    const presence = { available: priority !== undefined, priority: priority ?? 0 };
    const value = encodeSession({ ...presence, attached: true, sid, gen: 0, stamp: seq });
    this.#replica.put(binaryFromText(jid(full).full), value, seq);
  }

  unbindThere(full: string): void {
    this.#replica.delete(binaryFromText(full), ++this.#seq);
  }

  /** What became of it: see `wordsOf`; a resource of the other node by its full JID. */
  reroute(stanza: Stanza, transit: Transit): string {
    const effects = this.router.reroute(stanza, transit);
    return effects === undefined ? "refused" : wordsOf(effects, nobody);
  }
}

const nobody = {} as Session;
