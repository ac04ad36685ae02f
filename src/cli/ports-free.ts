/** PortsFree: could we listen here? Asked before anything is started that would have to be undone. */
import { createServer } from "node:net";
import { Failure, reasonOf } from "./failure.ts";

/** Throws a `Failure` for the first listener whose port is taken. */
export async function assertPortsFree(
  listeners: readonly { readonly ip_address: string; readonly port: number }[],
): Promise<void> {
  for (const { ip_address: host, port } of listeners) {
    const error = await new Promise<Error | undefined>((resolve) => {
      const server = createServer();
      server.once("error", resolve);
      server.listen({ host, port }, () => server.close(() => resolve(undefined)));
    });
    if (error !== undefined) {
      throw new Failure(`Cannot listen on ${host} port ${port}: ${reasonOf(error)}.`);
    }
  }
}
