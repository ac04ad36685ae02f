/**
 * Logins through @xmpp/client, one after the other, each on a connection of its own.
 *
 *     node client-logins.mjs SERVICE MECHANISM USERNAME PASSWORD...
 *
 * Prints what came of each as a JSON list: "in", or the condition of the failure.
 */
import { libraryClient, login } from "./client-library-login.mjs";

const [service = "", mechanism = "", username = "", ...passwords] = process.argv.slice(2);
const outcomes = [];
for (const password of passwords) {
  const options = { domain: "localhost", resource: "r" };
  const xmpp = libraryClient({ ...options, service, mechanism, username, password });
  const outcome = login(xmpp).then(
    () => "in",
    (error) => error.condition ?? error.message,
  );
  outcomes.push(await outcome);
  await xmpp.stop().catch(() => undefined);
}
console.log(JSON.stringify(outcomes));
