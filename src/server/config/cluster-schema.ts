/** Cluster schema: which options does `[cluster]` have? MongooseIM's names where it means the same. */
import * as z from "zod";
import { clusterDefaults } from "../config.ts";
import { about, integer, ipAddress, milliseconds, oneOf, path, secret } from "./options.ts";
import { text, textOrEnvironment } from "./options.ts";

const minute = 60_000;
const day = 86_400_000;

export const cluster = z.strictObject({
  node_name: about(
    "A name of this node that is stable and unique in the cluster. Without it: `meerkat@` and the advertised address.",
    textOrEnvironment("a string that is not empty").optional(),
  ),
  cluster_name: about(
    "Nodes of one cluster have the same; others are refused.",
    text().default(clusterDefaults.cluster_name),
  ),
  ip_address: about(
    "The address to listen on for other nodes.",
    ipAddress().default(clusterDefaults.ip_address),
  ),
  port: about(
    "The TCP port to listen on for other nodes.",
    integer(1, 65_535).default(clusterDefaults.port),
  ),
  advertised_address: about(
    'Where other nodes reach this one: a host name or IP address, with a port where that is not `port`. May be left out where `ip_address` is one address and not all of them; in a container it is usually `{ env = "POD_IP" }`.',
    textOrEnvironment('a string such as "10.0.0.7" or "node-1.example.org:7000"').optional(),
  ),
  secret: about(
    "What all nodes know and nobody else, at least 16 characters. A node that cannot prove it is refused.",
    secret(),
  ),
  backend: about(
    "Where the list of nodes comes from. `rdbms`: each node has a row in the database. `static`: `nodes`. `dns`: the addresses of `dns_name`. `file`: `node_list_file`.",
    oneOf(["rdbms", "static", "dns", "file"]).default("rdbms"),
  ),
  nodes: about(
    "For `static`: all nodes. This one may be among them, so that all can have the same file.",
    z
      .array(
        z.strictObject({
          address: about(
            "Its advertised address; a port that is not given is `cluster.port`.",
            text('a string such as "10.0.0.7" or "node-1.example.org:7000"'),
          ),
          name: about("Its `node_name`, if it has one of its own.", text().optional()),
        }),
      )
      .optional(),
  ),
  node_list_file: about(
    "For `file`: a text file with a node on each line, its address or its name and address. It is read again and again, so it may change.",
    path().optional(),
  ),
  dns_name: about(
    "For `dns`: a name that has the addresses of all nodes (in Kubernetes, a headless service). All must listen on the same port and be named by their addresses.",
    text('a name such as "meerkat.default.svc.cluster.local"').optional(),
  ),
  heartbeat_interval: about(
    "How often a node says that it lives.",
    milliseconds(100, minute).default(clusterDefaults.heartbeat_interval),
  ),
  heartbeat_timeout: about(
    "A link on which nothing arrived for so long is broken, and dialled again.",
    milliseconds(300, 10 * minute).default(clusterDefaults.heartbeat_timeout),
  ),
  link_grace: about(
    "A broken link that does not come back within this time is down, and the users of that node count as gone.",
    milliseconds(0, 10 * minute).default(clusterDefaults.link_grace),
  ),
  expire_after: about(
    "For `rdbms`: the row of a node that has not refreshed it for so long is removed.",
    milliseconds(minute, 7 * day).default(clusterDefaults.expire_after),
  ),
  tls: about(
    "Links over TLS 1.3. Both ends show a certificate and verify the other's.",
    z
      .strictObject({
        certfile: about("PEM file with this node's certificate.", path()),
        keyfile: about("PEM file with the certificate's private key, without a password.", path()),
        cacertfile: about(
          "PEM file with the authorities that vouch for the other nodes. It should vouch for nothing else.",
          path(),
        ),
      })
      .optional(),
  ),
});

export type ClusterFile = z.infer<typeof cluster>;
