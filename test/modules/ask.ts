/** Ask: one feature, asked as the router asks it, with a database at hand (pg-mem). */
import { PureCrypto } from "../../sim/ports/crypto.ts";
import { SimulatedStore } from "../../sim/ports/database.ts";
import { textFromBytes, bytesFromBinary } from "../../src/base/bytes.ts";
import type { Work, WorkAnswer, WorkRequest } from "../../src/ports/work.ts";
import type { Feature, FeatureContext, IqKey } from "../../src/router/feature.ts";
import { features } from "../../src/server/server.ts";
import type { Stanza } from "../../src/xmpp/stanza.ts";
import { jid, stanza } from "../router/scene.ts";

const pure = new PureCrypto();

export class Host {
  readonly #store = new SimulatedStore(() => 0);
  #requests = 0;
  #drawn = 0;
  /** Bare JIDs whose sessions were ended. */
  readonly ended: string[] = [];
  readonly context: FeatureContext = {
    now: { at: 90_500, wall: 1_700_000_000_000 },
    startedAt: { at: 500, wall: 1_699_999_910_000 },
    version: "1.2.3",
    hosts: ["localhost"],
    features,
    crypto: {
      hash: (name, data) => pure.hash(name, data),
      hmac: (name, key, data) => pure.hmac(name, key, data),
      equal: (a, b) => pure.equal(a, b),
      deriveKey: () => undefined,
    },
    entropy: { bytes: (count) => new Uint8Array(count).fill((this.#drawn += 1)) },
    scramIterations: 2,
    endSessions: (bare) => void this.ended.push(bare),
    notReady: undefined,
    clusterStatus: () => undefined,
    websocketUrls: (host) => [`wss://${host}:5443/ws-xmpp`],
  };

  /** The answer to juliet's IQ, as text; `to` is what it was addressed to. */
  ask(feature: Feature, key: IqKey, xml: string, user = "juliet"): string {
    const [type, target] = key.split(" ");
    const to = target === "server" ? "localhost" : `${user}@localhost`;
    const iq = stanza(`<iq type='${type}' id='1' to='${to}'>${xml}</iq>`);
    const handler = feature.iq?.[key];
    if (handler === undefined) throw new TypeError(`${feature.name} does not answer ${key}`);
    const request = { stanza: iq, from: jid(`${user}@localhost/balcony`), to: jid(to) };
    return this.#answer(handler(request, this.context));
  }

  /** The answer to an IQ before authentication. */
  register(feature: Feature, xml: string): string {
    if (feature.register === undefined) throw new TypeError(`${feature.name} registers nobody`);
    return this.#answer(feature.register("localhost", stanza(xml), this.context));
  }

  run<T>(work: Work<T>): T {
    let step = work.next();
    while (step.done !== true) step = work.next(this.#fulfil(step.value));
    return step.value;
  }

  #answer(outcome: Stanza | Work<Stanza>): string {
    const answer = Symbol.iterator in outcome ? this.run(outcome) : outcome;
    return textFromBytes(bytesFromBinary(answer.write("jabber:client")));
  }

  #fulfil(request: WorkRequest): WorkAnswer {
    if (request.type === "derive-key") return { type: "key", key: pure.derive(request.derivation) };
    if (request.type !== "query") throw new TypeError(`no ${request.type} here`);
    const input = this.#store.execute((this.#requests += 1), request.queries);
    return input.type === "query-answered"
      ? { type: "rows", results: input.results }
      : { type: "failed", failure: input.failure, detail: input.detail };
  }
}
