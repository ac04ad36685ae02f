/**
 * A login of @xmpp/client by the library's own steps, as its `reconnect` does, not by its `start`. That one
 * waits for the server's header only once its own has been flushed; where the header comes sooner, as it
 * does now and then over TLS, a refused login leaves a rejected promise that nobody can catch.
 */
import { client } from "@xmpp/client";
import { WebSocket } from "ws";

globalThis.WebSocket = WebSocket;

/** A client that says nothing yet and does not come back by itself. */
export function libraryClient({ service, domain, username, password, resource, mechanism }) {
  const credentials = (authenticate) => authenticate({ username, password }, mechanism);
  const xmpp = client({ service, domain, resource, credentials });
  xmpp.reconnect.stop();
  xmpp.on("error", () => undefined);
  return xmpp;
}

/** Its address; rejects with what the library says is wrong. */
export async function login(xmpp) {
  const outcome = new Promise((resolve, reject) => {
    xmpp.once("online", resolve);
    xmpp.once("error", reject);
  });
  outcome.catch(() => undefined);
  const { service, domain } = xmpp.options;
  await xmpp.connect(service);
  xmpp.open({ domain }).catch(() => undefined); // what it misses, `outcome` hears
  return outcome;
}
