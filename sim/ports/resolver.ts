/**
 * Simulated resolver: what do names mean and what stands in files, for whom, and how long does it take to
 * learn?
 *
 * One name server for all machines, whose zone remembers what it was, so that answers can lag behind; and on
 * each machine files of its own. Troubles hit one machine or "all". Who is on the lists, and when, is the
 * business of `node-lists.ts`.
 */
import { bytesFromText } from "../../src/base/bytes.ts";
import type { Instant } from "../../src/base/time.ts";
import type { RequestId } from "../../src/ports/database.ts";
import { fileBytesMax, type Resolver, type ResolverInput } from "../../src/ports/resolver.ts";
import type { World } from "../kit/world.ts";
import type { Random } from "../kit/random.ts";
import type { LookupFaultKind, Range } from "../plan.ts";

export interface SimulatedLookupsOptions {
  readonly world: World;
  /** Of each machine its own. */
  readonly random: (node: string) => Random;
  /** To the name server and back. */
  readonly latencyMs: Range;
  /** An answer that is not what it would be without this trouble. */
  readonly onTroubled?: (node: string, trouble: LookupFaultKind) => void;
}

/** What was told of a name from this moment on; undefined: there is no such name. */
interface Told {
  readonly since: Instant;
  readonly addresses: readonly string[] | undefined;
}

type Answer = (input: ResolverInput) => void;

/** As the system's resolver: two attempts of two seconds. */
const giveUpMs = 4_000;
const diskMs = 1;

const isAddress = /^\d+\.\d+\.\d+\.\d+$|:/;

export class SimulatedLookups {
  readonly #options: SimulatedLookupsOptions;
  /** By name, in order. */
  readonly #zone = new Map<string, Told[]>();
  /** By machine, then by path. */
  readonly #files = new Map<string, Map<string, string>>();
  /** By machine or "all": the amount of each trouble. */
  readonly #troubles = new Map<string, Map<LookupFaultKind, number>>();
  readonly #randoms = new Map<string, Random>();

  constructor(options: SimulatedLookupsOptions) {
    this.#options = options;
  }

  setName(host: string, addresses: readonly string[] | undefined): void {
    const told = { since: this.#options.world.now(), addresses };
    this.#zone.set(host, [...(this.#zone.get(host) ?? []), told]);
  }

  setFile(node: string, path: string, text: string | undefined): void {
    const files = this.#files.get(node) ?? new Map<string, string>();
    this.#files.set(node, files);
    if (text === undefined) files.delete(path);
    else files.set(path, text);
  }

  begin(trouble: LookupFaultKind, target: string, amount: number): void {
    const troubles = this.#troubles.get(target) ?? new Map<LookupFaultKind, number>();
    this.#troubles.set(target, troubles.set(trouble, amount));
  }

  end(trouble: LookupFaultKind, target: string): void {
    this.#troubles.get(target)?.delete(trouble);
  }

  heal(): void {
    this.#troubles.clear();
  }

  /** The port of one process on this machine; `answer` is called once for each request, later. */
  port(answer: Answer, node: string): Resolver {
    return {
      resolve: (request, host) => this.#resolve(node, request, host, answer),
      readFile: (request, path) => {
        this.#options.world.after(diskMs, () => answer(this.#fileOf(node, request, path)));
      },
    };
  }

  #resolve(node: string, request: RequestId, host: string, answer: Answer): void {
    const { world, latencyMs } = this.#options;
    if (isAddress.test(host)) {
      world.after(0, () => answer({ type: "host-resolved", request, addresses: [host] }));
      return;
    }
    const trip = this.#randomOf(node).between(...latencyMs);
    const takes = trip + (this.#amount("dns-slow", node) ?? 0);
    if (this.#amount("dns-down", node) !== undefined || takes > giveUpMs) {
      this.#tell(node, takes > giveUpMs ? "dns-slow" : "dns-down");
      const failed = lookupFailed(request, "no name server answers");
      world.after(giveUpMs, () => answer(failed));
      return;
    }
    if (takes > trip) this.#tell(node, "dns-slow");
    world.after(takes, () => answer(this.#addressesOf(node, request, host)));
  }

  #addressesOf(node: string, request: RequestId, host: string): ResolverInput {
    const now = this.#options.world.now();
    const lag = this.#amount("dns-stale", node) ?? 0;
    const told = this.#toldAt(host, now - lag);
    if (told !== this.#toldAt(host, now)) this.#tell(node, "dns-stale");
    if (told?.addresses === undefined) return lookupFailed(request, "there is no such name");
    const addresses = this.#someOf(told.addresses, "dns-lacking", node);
    return { type: "host-resolved", request, addresses };
  }

  #toldAt(host: string, at: Instant): Told | undefined {
    return this.#zone.get(host)?.findLast(({ since }) => since <= at);
  }

  #fileOf(node: string, request: RequestId, path: string): ResolverInput {
    const whole = this.#files.get(node)?.get(path);
    const gone = this.#amount("file-gone", node) !== undefined;
    if (gone && whole !== undefined) this.#tell(node, "file-gone");
    if (gone || whole === undefined) return lookupFailed(request, "there is no such file");
    const bytes = bytesFromText(whole).length;
    if (bytes > fileBytesMax) {
      const detail = `the file has ${bytes} bytes, the maximum is ${fileBytesMax}`;
      return lookupFailed(request, detail);
    }
    const lines = whole.split("\n");
    let text = this.#someOf(lines, "file-lacking", node).join("\n");
    if (this.#amount("file-half-written", node) !== undefined) {
      text = text.slice(0, this.#randomOf(node).int(text.length + 1));
      this.#tell(node, "file-half-written");
    }
    return { type: "file-read", request, text };
  }

  /** Others each time, perhaps none; or the same each time, the first so many. */
  #someOf(all: readonly string[], trouble: LookupFaultKind, node: string): readonly string[] {
    const amount = this.#amount(trouble, node);
    if (amount === undefined) return all;
    const random = this.#randomOf(node);
    const some = amount === 0 ? all.filter(() => random.chance(0.5)) : firstNamed(all, amount);
    if (some.length < all.length) this.#tell(node, trouble);
    return some;
  }

  /** The greater one of what hits this machine and what hits all; undefined: neither. */
  #amount(trouble: LookupFaultKind, node: string): number | undefined {
    const own = this.#troubles.get(node)?.get(trouble);
    const common = this.#troubles.get("all")?.get(trouble);
    return own === undefined || common === undefined ? (own ?? common) : Math.max(own, common);
  }

  #tell(node: string, trouble: LookupFaultKind): void {
    this.#options.onTroubled?.(node, trouble);
  }

  #randomOf(node: string): Random {
    const random = this.#randoms.get(node) ?? this.#options.random(node);
    this.#randoms.set(node, random);
    return random;
  }
}

/** Of lines that name a node, so many; whatever else there is stays. */
function firstNamed(all: readonly string[], count: number): readonly string[] {
  let named = 0;
  return all.filter((line) => {
    if (line !== "" && !line.startsWith("#")) named += 1;
    else return true;
    return named <= count;
  });
}

function lookupFailed(request: RequestId, detail: string): ResolverInput {
  return { type: "lookup-failed", request, detail };
}
