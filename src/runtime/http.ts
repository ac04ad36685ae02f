/**
 * HTTP: requests that wait for the core's answer.
 *
 * A request becomes `http-requested`, its answer comes as `respond`. Bodies are not read by anything yet,
 * so they are thrown away, and a request that carries a large one is refused.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { RequestId } from "../ports/database.ts";
import {
  httpHostOf,
  httpOutstandingMax,
  httpPathOf,
  httpTooMany,
  type Http,
} from "../ports/http.ts";
import type { Surroundings } from "./connection.ts";

const bodyMaxBytes = 65_536;

export class HttpRequests implements Http {
  readonly #surroundings: Pick<Surroundings, "deliver">;
  readonly #outstanding = new Map<RequestId, ServerResponse>();
  #lastId = 0;

  constructor(surroundings: Pick<Surroundings, "deliver">) {
    this.#surroundings = surroundings;
  }

  ask(listener: string, request: IncomingMessage, response: ServerResponse): void {
    if (this.#outstanding.size >= httpOutstandingMax) {
      const { status, headers, body } = httpTooMany;
      return answer(response, status, headers, body);
    }
    if (Number(request.headers["content-length"] ?? 0) > bodyMaxBytes) {
      return answer(response, 413, { connection: "close" }, "The body is too large\n");
    }
    limitBody(request);
    const id = ++this.#lastId;
    this.#outstanding.set(id, response);
    response.once("close", () => this.#outstanding.delete(id));
    this.#surroundings.deliver({
      type: "http-requested",
      request: id,
      listener,
      method: request.method ?? "GET",
      path: pathOf(request),
      host: httpHostOf(request.headers.host ?? ""),
    });
  }

  respond(
    request: RequestId,
    status: number,
    headers: Readonly<Record<string, string>>,
    body: string,
  ): void {
    const response = this.#outstanding.get(request);
    if (response === undefined) return;
    this.#outstanding.delete(request);
    answer(response, status, headers, body);
  }
}

export function answer(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string,
): void {
  response.writeHead(status, { "content-length": Buffer.byteLength(body), ...headers });
  response.end(response.req.method === "HEAD" ? undefined : body);
}

export const pathOf = (request: IncomingMessage): string => httpPathOf(request.url ?? "/");

/** A body of no stated length is cut off where it grows too long. */
function limitBody(request: IncomingMessage): void {
  let size = 0;
  request.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size > bodyMaxBytes) request.destroy();
  });
  request.on("error", () => undefined);
}
