/**
 * Workers: who performs tasks on all cores?
 *
 * Processes that share nothing, so that nothing of one run can reach another. With one core (or one
 * worker asked for) tasks are performed in this process.
 */
import { fork, type ChildProcess } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { root } from "./code-version.ts";
import { perform, type Task, type TaskResult } from "./tasks.ts";
import { v8Flags } from "./v8-flags.ts";

interface Worker {
  readonly child: ChildProcess;
  settle: { resolve: (result: TaskResult) => void; reject: (error: Error) => void } | undefined;
}

export class Workers {
  readonly #count: number;
  readonly #idle: Worker[] = [];
  readonly #all: Worker[] = [];
  readonly #waiting: ((worker: Worker) => void)[] = [];
  #closed = false;

  constructor(count = availableParallelism()) {
    this.#count = Math.max(1, count);
  }

  /** How many tasks are performed at once. */
  get count(): number {
    return this.#count;
  }

  async perform(task: Task): Promise<TaskResult> {
    if (this.#count === 1) {
      // In one process: let the keyboard and the progress line have their turn.
      await new Promise((resolve) => setImmediate(resolve));
      return perform(task);
    }
    const worker = await this.#take();
    try {
      return await new Promise<TaskResult>((resolve, reject) => {
        worker.settle = { resolve, reject };
        worker.child.send(task);
      });
    } finally {
      worker.settle = undefined;
      const next = this.#waiting.shift();
      if (next === undefined) this.#idle.push(worker);
      else next(worker);
    }
  }

  close(): void {
    this.#closed = true;
    for (const { child } of this.#all) child.kill();
  }

  #take(): Promise<Worker> {
    const idle = this.#idle.pop();
    if (idle !== undefined) return Promise.resolve(idle);
    if (this.#all.length < this.#count) return Promise.resolve(this.#start());
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #start(): Worker {
    const child = fork(join(root, "scripts", "bundled.mjs"), [join("sim", "cli", "worker.ts")], {
      cwd: root,
      execArgv: [...v8Flags],
    });
    const worker: Worker = { child, settle: undefined };
    child.on("message", (result) => worker.settle?.resolve(result as TaskResult));
    child.on("error", (error) => worker.settle?.reject(error));
    child.on("exit", (code) => {
      if (this.#closed) return;
      worker.settle?.reject(new Error(`A worker ended with code ${String(code)}`));
    });
    this.#all.push(worker);
    return worker;
  }
}
