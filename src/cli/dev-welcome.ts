/** DevWelcome: what `meerkat dev` says when it runs: where it listens, and what to try first. */
import { nodePorts } from "./dev-config.ts";

export function welcome(port: number, certfile: string): string {
  return `
Meerkat is running on this machine.

  XMPP         localhost:${port}   STARTTLS
  XMPP         localhost:${port + 1}   direct TLS
  WebSocket    ws://localhost:${port + 58}/ws-xmpp
  Health       http://localhost:${port + 58}/healthz   also /readyz and /metrics

Make an account:  npx meerkat account register alice@localhost secret
                  or register from your client: it is allowed from this machine
Log in:           as alice@localhost, server localhost, with any XMPP client; it will ask about the
                  self-signed certificate, which is ${certfile}
Stop:             Ctrl-C
`;
}

/** `processes`: the nodes' names and process ids, in order. */
export function clusterWelcome(
  processes: ReadonlyMap<string, number | undefined>,
  port: number,
  certfile: string,
): string {
  const nodes = [...processes].map(([name, pid], at) => ({
    ...{ name, pid: pid ?? 0 },
    ports: nodePorts(port, at + 1),
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

Make accounts:    npx meerkat account register alice@localhost secret
                  npx meerkat account register bob@localhost secret
Log in:           as alice@localhost on port ${port}, as bob@localhost on port ${last?.ports.starttls}, and chat; clients will
                  ask about the self-signed certificate, which is ${certfile}
Look:             npx meerkat cluster status --url http://localhost:${nodes[0]?.ports.http}
Break:            kill -9 ${last?.pid}: ${last?.name} is gone from the others within seconds, and starts again
Stop:             Ctrl-C
`;
}
