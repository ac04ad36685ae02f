/**
 * Watch: for how long did one turn of the event loop block the others?
 *
 * Turns without pause, and looks at both clocks in each. Where other processes want the core, too, wall time says
 * little; CPU time of this process says what was ours (that of V8's helping threads included).
 */
export class Watch {
  wallMs = 0;
  cpuMs = 0;
  #running = false;

  start(): void {
    this.wallMs = 0;
    this.cpuMs = 0;
    if (this.#running) return;
    this.#running = true;
    let wall = performance.now();
    let cpu = cpuMs();
    const turn = (): void => {
      if (!this.#running) return;
      const [nextWall, nextCpu] = [performance.now(), cpuMs()];
      this.wallMs = Math.max(this.wallMs, nextWall - wall);
      this.cpuMs = Math.max(this.cpuMs, nextCpu - cpu);
      [wall, cpu] = [nextWall, nextCpu];
      setImmediate(turn);
    };
    setImmediate(turn);
  }

  stop(): void {
    this.#running = false;
  }
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
