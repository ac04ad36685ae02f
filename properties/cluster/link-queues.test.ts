/**
 * Laws of a link's queues: each class in its order, no stanza before a table message that was sent before
 * it, and neither class waits for more of the other than was promised.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { frameOverhead, LinkQueues } from "../../src/cluster/link-queues.ts";
import { kinds } from "../../src/cluster/messages.ts";
import { linkLimits } from "../../src/cluster/timing.ts";

const limits = { ...linkLimits, overtakingBytes: 2_000 };
const fragment = 500;
const fragmentCost = fragment + frameOverhead;

interface Sent {
  readonly table: boolean;
  /** Costs of what had been written before it was sent, and before it was written whole. */
  readonly before: Written;
  after: Written | undefined;
  /** How many of each class had been sent before. */
  readonly tables: number;
  readonly cost: number;
}
interface Written {
  readonly tables: number;
  readonly stanzas: number;
}

/** What the queues write when these are sent, and so many fragments are written after each. */
function run(steps: readonly (readonly [table: boolean, size: number, writes: number])[]): Sent[] {
  const queues = new LinkQueues(limits);
  const sent: Sent[] = [];
  const order = { tables: [] as Sent[], stanzas: [] as Sent[] };
  let written: Written = { tables: 0, stanzas: 0 };
  const write = (): boolean => {
    const queue = queues.next();
    const first = queue?.first;
    if (queue === undefined || first === undefined) return false;
    const name = queue === queues.tables ? "tables" : "stanzas";
    const frame = queues.take(queue, first, queue.nextBytes(fragment));
    written = { ...written, [name]: written[name] + frame.end - frame.start + frameOverhead };
    if (frame.end < frame.body.length) return true;
    const whole = order[name].shift();
    expect(frame.body).toBe(`${sent.indexOf(whole as Sent)}`.padEnd(frame.body.length));
    if (whole !== undefined) whole.after = written;
    return true;
  };
  for (const [table, size, writes] of steps) {
    const name = table ? "tables" : "stanzas";
    const body = `${sent.length}`.padEnd(size);
    const cost = body.length + Math.max(1, Math.ceil(body.length / fragment)) * frameOverhead;
    const tables = sent.filter((each) => each.table).length;
    const one: Sent = { table, before: written, after: undefined, tables, cost };
    sent.push(one);
    order[name].push(one);
    queues.push(table ? kinds.operations : kinds.stanza, body);
    for (let count = 0; count < writes; count += 1) write();
  }
  while (write());
  expect([queues.length, queues.bytes]).toEqual([0, 0]);
  return sent;
}

const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(3_000), fc.nat(4)), { maxLength: 60 });

test("link: † each class keeps its order, and a stanza overtakes no table message", () => {
  fc.assert(
    fc.property(steps, (chosen) => {
      const sent = run(chosen);
      for (const each of sent) {
        if (each.table) continue;
        const earlier = sent.filter(({ table }) => table)[each.tables - 1];
        if (earlier === undefined) continue;
        expect(earlier.after?.stanzas).toBeLessThanOrEqual((each.after?.stanzas ?? 0) - each.cost);
      }
    }),
    { numRuns: 200 },
  );
});

test("link: a stanza is overtaken by what was promised, and by as much as is written of stanzas", () => {
  fc.assert(
    fc.property(steps, (chosen) => {
      const sent = run(chosen);
      const tables = sent.filter(({ table }) => table);
      for (const each of sent) {
        if (each.table || each.after === undefined) continue;
        const sentBefore = tables.slice(0, each.tables).reduce((sum, { cost }) => sum + cost, 0);
        const overtook = each.after.tables - Math.max(each.before.tables, sentBefore);
        const stanzas = each.after.stanzas - each.before.stanzas;
        expect(overtook).toBeLessThanOrEqual(limits.overtakingBytes + fragmentCost + stanzas);
      }
    }),
    { numRuns: 200 },
  );
});

test("link: a table message waits for two fragments of stanzas, and for as much as is written of tables", () => {
  fc.assert(
    fc.property(steps, (chosen) => {
      for (const each of run(chosen)) {
        if (!each.table || each.after === undefined) continue;
        const tables = each.after.tables - each.before.tables;
        const stanzas = each.after.stanzas - each.before.stanzas;
        expect(stanzas).toBeLessThanOrEqual(2 * fragmentCost + tables);
      }
    }),
    { numRuns: 200 },
  );
});

test("link: a lone table message goes before a flood of stanzas", () => {
  const queues = new LinkQueues(limits);
  for (let count = 0; count < 1_000; count += 1) queues.push(kinds.stanza, "x".repeat(900));
  queues.push(kinds.operations, "a login");
  expect(queues.next()).toBe(queues.tables);
});
