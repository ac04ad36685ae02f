/** DevWelcome: what `meerkat dev` says when it runs: where it listens, and what to try first. */
import { defaultData, nodePorts } from "./dev-config.ts";

export interface Place {
  /** The first. */
  readonly port: number;
  /** As it was given. */
  readonly data: string;
  readonly certfile: string;
}

/** Where the accounts are, if not where the command looks by itself. */
const at = (data: string): string => (data === defaultData ? "" : ` --data ${data}`);

export function welcome({ port, data, certfile }: Place): string {
  return `
Meerkat is running on this machine.

  XMPP         localhost:${port}   STARTTLS
  XMPP         localhost:${port + 1}   direct TLS
  WebSocket    ws://localhost:${port + 58}/ws-xmpp
  Health       http://localhost:${port + 58}/healthz   also /readyz and /metrics

Make an account:  npx meerkat account register alice@localhost secret${at(data)}
                  or register from your client: it is allowed from this machine
Log in:           as alice@localhost, server localhost, with any XMPP client; it will ask about the
                  self-signed certificate, which is ${certfile}
Stop:             Ctrl-C
`;
}

/** `processes`: the nodes' names and process ids, in order. */
export function clusterWelcome(
  processes: ReadonlyMap<string, number | undefined>,
  { port, data, certfile }: Place,
): string {
  const nodes = [...processes].map(([name, pid], index) => ({
    ...{ name, pid: pid ?? 0 },
    ports: nodePorts(port, index + 1),
  }));
  const last = nodes.at(-1);
  const rows = nodes.map(({ name, pid, ports }) =>
    [
      `  ${name.padEnd(8)}`,
      `localhost:${ports.starttls}`,
      `localhost:${ports.tls}`,
      `ws://localhost:${ports.http}/ws-xmpp`,
      `http://localhost:${ports.http}/readyz`,
      `process ${pid}`,
    ].join("   "),
  );
  return `
Meerkat is running on this machine: ${nodes.length} nodes, one server.

${rows.join("\n")}

  Each line: XMPP with STARTTLS, XMPP with direct TLS, WebSocket, health (also /healthz, /metrics and
  /cluster), process. All nodes share one database.

Make accounts:    npx meerkat account register alice@localhost secret${at(data)}
                  npx meerkat account register bob@localhost secret${at(data)}
Log in:           as alice@localhost on port ${port}, as bob@localhost on port ${last?.ports.starttls}, and chat; clients will
                  ask about the self-signed certificate, which is ${certfile}
Look:             npx meerkat cluster status --url http://localhost:${nodes[0]?.ports.http}
Break:            kill -9 ${last?.pid}: ${last?.name} is gone from the others within a second, and starts again
Stop:             Ctrl-C
`;
}
