/**
 * Resolver contract: what `Resolver` and its input promise, whoever implements them.
 *
 * Run over the system's resolver with a name server of our own (test/runtime/resolver.test.ts) and over the
 * simulated one (test/sim/resolver.test.ts).
 */
import { afterEach, expect, test } from "vitest";
import { fileBytesMax, type Resolver, type ResolverInput } from "../../src/ports/resolver.ts";

export interface ResolverHarness {
  readonly resolver: Resolver;
  /** All that the core was told, in order. */
  readonly inputs: readonly ResolverInput[];
  /** What the name `nodes.test` means from now on; undefined: there is no such name. */
  name(addresses: readonly string[] | undefined): void;
  /** The name server answers nobody any more. */
  stopNameServer(): void;
  /** Writes a file, and gives its path. */
  write(text: string): string;
  readonly missingPath: string;
  until(condition: () => boolean): Promise<void>;
  close(): void;
}

const host = "nodes.test";

export function resolverContract(name: string, make: () => Promise<ResolverHarness>): void {
  const open: ResolverHarness[] = [];
  afterEach(() => {
    for (const harness of open.splice(0)) harness.close();
  });

  async function started(): Promise<ResolverHarness> {
    const harness = await make();
    open.push(harness);
    return harness;
  }

  /** Asks once, and gives what comes of it. */
  async function answerTo(h: ResolverHarness, ask: (r: Resolver) => void): Promise<ResolverInput> {
    const before = h.inputs.length;
    ask(h.resolver);
    expect(h.inputs).toHaveLength(before); // never within the call
    await h.until(() => h.inputs.length > before);
    return h.inputs[before] as ResolverInput;
  }

  test(`${name}: a name's addresses of both kinds, with the number of the request`, async () => {
    const h = await started();
    h.name(["10.0.0.1", "10.0.0.2", "fd00::3"]);
    const answer = await answerTo(h, (resolver) => resolver.resolve(7, host));
    expect(answer).toMatchObject({ type: "host-resolved", request: 7 });
    const { addresses } = answer as ResolverInput & { type: "host-resolved" };
    expect(addresses.toSorted()).toEqual(["10.0.0.1", "10.0.0.2", "fd00::3"]);
  });

  test(`${name}: each question is answered as things are then`, async () => {
    const h = await started();
    const ask = () => answerTo(h, (resolver) => resolver.resolve(1, host));
    h.name(["10.0.0.1"]);
    expect(await ask()).toMatchObject({ addresses: ["10.0.0.1"] });
    h.name(["fd00::2"]);
    expect(await ask()).toMatchObject({ addresses: ["fd00::2"] });
  });

  test(`${name}: a name that does not exist fails in words, one without addresses is empty`, async () => {
    const h = await started();
    h.name(undefined);
    expect(await answerTo(h, (resolver) => resolver.resolve(1, host))).toEqual({
      ...{ type: "lookup-failed", request: 1, detail: "there is no such name" },
    });
    h.name([]);
    expect(await answerTo(h, (resolver) => resolver.resolve(2, host))).toEqual({
      ...{ type: "host-resolved", request: 2, addresses: [] },
    });
  });

  test(`${name}: an address needs no name server`, async () => {
    const h = await started();
    h.stopNameServer();
    for (const [request, address] of ["10.9.8.7", "fd00::9"].entries()) {
      expect(await answerTo(h, (resolver) => resolver.resolve(request, address))).toEqual({
        ...{ type: "host-resolved", request, addresses: [address] },
      });
    }
  });

  test(`${name}: where no name server answers, that is the answer`, async () => {
    const h = await started();
    h.stopNameServer();
    expect(await answerTo(h, (resolver) => resolver.resolve(3, host))).toEqual({
      ...{ type: "lookup-failed", request: 3, detail: "no name server answers" },
    });
  });

  test(`${name}: a file's text, each time as it stands there, or that there is none`, async () => {
    const h = await started();
    const path = h.write("ünï\n");
    const read = (request: number) => answerTo(h, (resolver) => resolver.readFile(request, path));
    expect(await read(1)).toEqual({ type: "file-read", request: 1, text: "ünï\n" });
    h.write("");
    expect(await read(2)).toEqual({ type: "file-read", request: 2, text: "" });
    expect(await answerTo(h, (resolver) => resolver.readFile(3, h.missingPath))).toEqual({
      ...{ type: "lookup-failed", request: 3, detail: "there is no such file" },
    });
  });

  test(`${name}: a file that is too long is not read`, async () => {
    const h = await started();
    const path = h.write("x".repeat(fileBytesMax));
    const read = (request: number) => answerTo(h, (resolver) => resolver.readFile(request, path));
    expect(await read(1)).toMatchObject({ type: "file-read" });
    // One byte more, though not one character more.
    h.write("x".repeat(fileBytesMax - 1) + "é");
    const detail = `the file has ${fileBytesMax + 1} bytes, the maximum is ${fileBytesMax}`;
    expect(await read(2)).toEqual({ type: "lookup-failed", request: 2, detail });
  });

  test(`${name}: of several at once each is answered once`, async () => {
    const h = await started();
    h.name(["10.0.0.1"]);
    const path = h.write("one\n");
    for (let request = 1; request <= 20; request += 2) {
      h.resolver.resolve(request, host);
      h.resolver.readFile(request + 1, path);
    }
    await h.until(() => h.inputs.length >= 20);
    const requests = h.inputs.map((input) => input.request).toSorted((a, b) => a - b);
    expect(requests).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    for (const { type, request } of h.inputs) {
      expect(type).toBe(request % 2 === 1 ? "host-resolved" : "file-read");
    }
  });
}
