/**
 * HTTP contract: what `Http` and its input promise, whoever implements them.
 *
 * Run over real sockets (test/process/network-http.test.ts) and over the simulated port.
 */
import { afterEach, expect, test } from "vitest";
import { httpOutstandingMax, type Http, type HttpInput } from "../../src/ports/http.ts";

export interface HttpExchange {
  readonly answer:
    | {
        readonly status: number;
        readonly headers: Readonly<Record<string, string>>;
        readonly body: string;
      }
    | undefined;
  /** Does not wait any longer. */
  leave(): void;
}

export interface HttpHarness {
  /** All that the core was told, in order. */
  readonly inputs: readonly HttpInput[];
  readonly http: Http;
  ask(method: string, target: string, host: string): HttpExchange;
  until(condition: () => boolean): Promise<void>;
  close(): Promise<void>;
}

export function httpContract(name: string, make: () => Promise<HttpHarness>): void {
  const open: HttpHarness[] = [];
  const started = async (): Promise<HttpHarness> => {
    const harness = await make();
    open.push(harness);
    return harness;
  };
  afterEach(async () => {
    for (const harness of open.splice(0)) await harness.close();
  });

  /** One request, and its number. */
  async function asked(h: HttpHarness, method = "GET", target = "/") {
    const before = h.inputs.length;
    const exchange = h.ask(method, target, "example.test");
    await h.until(() => h.inputs.length > before);
    return { exchange, request: h.inputs.at(-1)?.request ?? -1 };
  }

  test(`${name}: a request is told whole: path without query, host in lower case without port`, async () => {
    const h = await started();
    h.ask("GET", "/.well-known/host-meta?x=/1?2", "Example.TEST:5280");
    await h.until(() => h.inputs.length === 1);
    const [input] = h.inputs;
    expect(input).toEqual({
      ...{ type: "http-requested", request: input?.request, listener: "http", method: "GET" },
      ...{ path: "/.well-known/host-meta", host: "example.test" },
    });
  });

  test(`${name}: answers find their askers, in whatever order they are given`, async () => {
    const h = await started();
    const first = await asked(h);
    const second = await asked(h);
    expect(second.request).not.toBe(first.request);
    h.http.respond(second.request, 203, { "x-order": "2" }, "caf\u00e9");
    await h.until(() => second.exchange.answer !== undefined);
    expect(first.exchange.answer).toBeUndefined();
    h.http.respond(first.request, 404, {}, "one");
    await h.until(() => first.exchange.answer !== undefined);
    expect(second.exchange.answer).toMatchObject({ status: 203, body: "caf\u00e9" });
    expect(second.exchange.answer?.headers).toMatchObject({ "x-order": "2" });
    expect(first.exchange.answer).toMatchObject({ status: 404, body: "one" });
  });

  test(`${name}: a HEAD request is answered without a body`, async () => {
    const h = await started();
    const { exchange, request } = await asked(h, "HEAD");
    expect(h.inputs.at(-1)?.method).toBe("HEAD");
    h.http.respond(request, 200, {}, "unseen");
    await h.until(() => exchange.answer !== undefined);
    expect(exchange.answer).toMatchObject({ status: 200, body: "" });
  });

  test(`${name}: only the first answer counts, and one to nobody is dropped`, async () => {
    const h = await started();
    h.http.respond(4_711, 200, {}, "nobody");
    const { exchange, request } = await asked(h);
    h.http.respond(request, 200, {}, "first");
    h.http.respond(request, 500, {}, "second");
    await h.until(() => exchange.answer !== undefined);
    expect(exchange.answer).toMatchObject({ status: 200, body: "first" });
  });

  test(`${name}: who has left is not answered, and hurts nobody`, async () => {
    const h = await started();
    const left = await asked(h);
    left.exchange.leave();
    h.http.respond(left.request, 200, {}, "too late");
    const { exchange, request } = await asked(h);
    h.http.respond(request, 200, {}, "here");
    await h.until(() => exchange.answer !== undefined);
    expect(left.exchange.answer).toBeUndefined();
    expect(exchange.answer).toMatchObject({ body: "here" });
  });

  test(`${name}: of too many at once the last is told to come again, and the core is not told of it`, async () => {
    const h = await started();
    for (let round = 0; round < httpOutstandingMax; round += 100) {
      for (let at = 0; at < 100; at++) h.ask("GET", "/waiting", "example.test");
      await h.until(() => h.inputs.length === round + 100);
    }
    const refused = h.ask("GET", "/refused", "example.test");
    await h.until(() => refused.answer !== undefined);
    expect(refused.answer?.status).toBe(503);
    expect(refused.answer?.headers).toMatchObject({ "retry-after": "1" });
    expect(h.inputs).toHaveLength(httpOutstandingMax);
    h.http.respond(h.inputs[0]?.request ?? -1, 200, {}, "");
    const { request } = await asked(h);
    expect(request).not.toBe(-1);
  });
}
