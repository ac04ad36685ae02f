/** Processes: what has a process used of the machine? Read from /proc, so Linux only. */
import { readFileSync, readdirSync } from "node:fs";

/** The kernel counts CPU time in ticks of 10 ms on every Linux that Node supports (USER_HZ). */
const tickMicros = 10_000;

/** User and system time of these processes together, in microseconds; one that has ended counts nothing. */
export function cpuMicros(pids: readonly number[]): number {
  let sum = 0;
  for (const pid of pids) {
    const [utime, stime] = statOf(pid)?.slice(11, 13) ?? [];
    sum += (Number(utime ?? 0) + Number(stime ?? 0)) * tickMicros;
  }
  return sum;
}

/** Resident memory of these processes together, in bytes. */
export function residentBytes(pids: readonly number[]): number {
  let sum = 0;
  for (const pid of pids) {
    const kib = /^VmRSS:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`) ?? "")?.[1];
    sum += Number(kib ?? 0) * 1024;
  }
  return sum;
}

/** What the whole machine was busy with since it started, all cores summed, in microseconds. */
export function machineBusyMicros(): number {
  const [first = ""] = (read("/proc/stat") ?? "").split("\n", 1);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = first
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user + nice + system + irq + softirq + steal) * tickMicros;
}

/** The process and all that descend from it. */
export function family(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const parent = statOf(Number(name))?.[1];
    if (parent !== undefined) parents.set(Number(name), Number(parent));
  }
  const found = [pid];
  for (const member of found) {
    for (const [child, parent] of parents) if (parent === member) found.push(child);
  }
  return found;
}

/** The fields after the name in parentheses: [0] is the state, [1] the parent, [11] utime, [12] stime. */
function statOf(pid: number): string[] | undefined {
  const text = read(`/proc/${pid}/stat`);
  return text?.slice(text.lastIndexOf(")") + 2).split(" ");
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return undefined;
  }
}
