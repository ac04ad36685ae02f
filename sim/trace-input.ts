/** Trace input: what does the trace say of an input that reaches a node? */
import type { WorldInput } from "../src/server/effects.ts";
import type { Trace } from "./trace.ts";

export function traceInput(trace: Trace, node: string, input: WorldInput, login: string): void {
  switch (input.type) {
    case "connection-opened": {
      const { connection, listener, dial = 0 } = input;
      return trace.record(node, input.type, { connection, login, listener, dial });
    }
    case "bytes-received":
      return trace.record(node, input.type, { connection: input.connection, bytes: input.bytes });
    case "tls-established":
    case "connection-congested":
    case "connection-drained":
      return trace.record(node, input.type, { connection: input.connection });
    case "connection-closed":
      return trace.record(node, input.type, {
        connection: input.connection,
        login,
        reason: input.reason,
      });
    case "dial-failed": {
      const { dial, refused, reason } = input;
      return trace.record(node, input.type, { dial, to: login, refused, reason });
    }
    case "query-answered":
      return trace.record(node, input.type, {
        request: input.request,
        rows: input.results.reduce((sum, rows) => sum + rows.length, 0),
      });
    case "query-failed":
      return trace.record(node, input.type, { request: input.request, failure: input.failure });
    case "key-derived":
      return trace.record(node, input.type, { request: input.request });
    case "deadline-reached":
      return trace.record(node, input.type, {});
    case "shutdown-requested":
      return trace.record(node, input.type, {});
    case "host-resolved":
      return trace.record(node, input.type, {
        request: input.request,
        addresses: input.addresses,
      });
    case "file-read":
      return trace.record(node, input.type, { request: input.request, text: input.text });
    case "lookup-failed":
      return trace.record(node, input.type, { request: input.request, detail: input.detail });
    case "http-requested":
      return; // a health check, told by who asked
  }
}
