/** Fleet: member processes on this machine, and the wires between them, which can be cut and count bytes. */
import { spawn, type ChildProcess } from "node:child_process";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { freePorts } from "../../src/runtime/free-ports.ts";
import { root } from "../subjects/subject.ts";
import type { Answer, MemberSetup, Order } from "./orders.ts";

export class Member {
  readonly name: string;
  readonly child: ChildProcess;
  readonly ready: Promise<unknown>;
  readonly #waiting = new Map<number, (message: { answer?: Answer; error?: string }) => void>();
  #lastId = 0;

  constructor(setup: MemberSetup) {
    this.name = setup.name;
    const script = ["scripts/run.mjs", "bench/cluster/member.ts", JSON.stringify(setup)];
    const options = process.env["MEERKAT_BENCH_NODE"]?.split(" ") ?? []; // such as --cpu-prof
    this.child = spawn(process.execPath, ["--expose-gc", ...options, ...script], {
      cwd: root,
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.ready = new Promise((resolve) => this.#waiting.set(0, resolve));
    this.child.on("message", (message: { id: number; answer?: Answer; error?: string }) => {
      this.#waiting.get(message.id)?.(message);
      this.#waiting.delete(message.id);
    });
    this.child.on("exit", () => {
      for (const answer of this.#waiting.values()) answer({ error: `${this.name} has ended` });
    });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  ask(order: Order): Promise<Required<Answer>> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        reject(new Error(`${this.name}: not within five minutes: ${JSON.stringify(order)}`));
      }, 300_000);
      this.#waiting.set(id, ({ answer, error }) => {
        clearTimeout(late);
        if (answer === undefined) reject(new Error(error));
        else resolve(answer as Required<Answer>);
      });
      this.child.send({ id, order });
    });
  }

  /** Without a signal it exits by itself, so that `--cpu-prof` has its file. */
  async end(signal?: NodeJS.Signals): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.child.once("exit", resolve));
    if (signal === undefined) this.child.disconnect();
    else this.child.kill(signal);
    await ended;
  }
}

export interface FleetOptions {
  readonly members: number;
  readonly tables?: number;
  /** Put a wire that can be cut between every two members. */
  readonly wires?: boolean;
}

export class Fleet {
  readonly setups: readonly MemberSetup[];
  readonly wires: readonly Wire[];
  readonly members: Member[] = [];

  private constructor(setups: readonly MemberSetup[], wires: readonly Wire[]) {
    this.setups = setups;
    this.wires = wires;
  }

  static async plan({ members, tables = 1, wires = false }: FleetOptions): Promise<Fleet> {
    const names = Array.from({ length: members }, (_, index) => `m${index + 1}`);
    const ports = await freePorts(members);
    const made: Wire[] = [];
    const setups: MemberSetup[] = [];
    for (const [index, name] of names.entries()) {
      const others = [];
      for (const [other, peer] of names.entries()) {
        if (other === index) continue;
        const wire = wires ? await Wire.to(ports[other] ?? 0) : undefined;
        if (wire !== undefined) made.push(wire);
        others.push({ name: peer, address: `127.0.0.1:${wire?.port ?? ports[other]}` });
      }
      setups.push({ name, port: ports[index] ?? 0, members: others, tables });
    }
    return new Fleet(setups, made);
  }

  /** Starts processes that have not joined yet, and waits until they can. */
  async launch(count = this.setups.length): Promise<readonly Member[]> {
    const fresh = this.setups.slice(this.members.length, count).map((setup) => new Member(setup));
    this.members.push(...fresh);
    await Promise.all(fresh.map(({ ready }) => ready));
    return fresh;
  }

  /** All at once; resolves when each shows what all others have. */
  async start(count = this.setups.length): Promise<readonly Required<Answer>[]> {
    const fresh = await this.launch(count);
    const peers = this.members.length - 1;
    return Promise.all(fresh.map((member) => member.ask({ do: "join", peers })));
  }

  get pids(): number[] {
    return this.members.map(({ pid }) => pid);
  }

  async stop(): Promise<void> {
    await Promise.all(this.members.map((member) => member.end()));
    for (const wire of this.wires) wire.close();
  }
}

/** A relay to one port: bytes pass until it is cut; then nobody is told and nothing gets through. */
export class Wire {
  readonly port: number;
  readonly #server: Server;
  readonly #ends = new Set<Socket>();
  #cut = false;
  bytes = 0;

  private constructor(server: Server, target: number) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on("connection", (near) => this.#join(near, target));
  }

  static async to(target: number): Promise<Wire> {
    const server = createServer({ noDelay: true }).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    return new Wire(server, target);
  }

  /** Resets what passes; new connections are reset too until `mend`. */
  cut(): void {
    this.#cut = true;
    for (const end of this.#ends) end.resetAndDestroy();
  }

  mend(): void {
    this.#cut = false;
  }

  close(): void {
    this.cut();
    this.#server.close();
  }

  #join(near: Socket, target: number): void {
    if (this.#cut) return void near.resetAndDestroy();
    const far = connect({ port: target, host: "127.0.0.1", noDelay: true });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#ends.add(one);
      one.on("data", (data: Buffer) => {
        this.bytes += data.length;
        other.write(data);
      });
      one.on("error", () => undefined);
      one.on("close", () => {
        this.#ends.delete(one);
        other.destroy();
      });
    }
  }
}
