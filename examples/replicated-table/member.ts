/**
 * A member of a small cluster: who is online, on every member, without a database and without XMPP.
 *
 *     npx tsx examples/replicated-table/member.ts NAME:PORT [OTHER_NAME:PORT ...]
 *
 * Type `put alice here`, `del alice`, `get alice`, `list`, `wait` or `quit`.
 */
import { createInterface } from "node:readline";
import { joinCluster } from "../../src/library/cluster-member.ts";

const [self, ...others] = process.argv.slice(2).map((argument) => {
  const [name = "", port = ""] = argument.split(":");
  return { name, address: `127.0.0.1:${port}`, port: Number(port) };
});
if (self === undefined || !(self.port > 0)) {
  console.error("usage: member.ts NAME:PORT [OTHER_NAME:PORT ...]");
  process.exit(2);
}

const member = await joinCluster(
  {
    name: self.name,
    listen: { host: "127.0.0.1", port: self.port },
    cluster: "example",
    // Who knows it is a member: in earnest it comes from the environment.
    secret: process.env["CLUSTER_SECRET"] ?? "example",
    members: others,
    tables: [{ name: "online", schema: 1, changes: true }],
  },
  {
    memberUp: (peer) => console.log(`+ ${peer.name}`),
    memberDown: (peer) => console.log(`- ${peer.name}, its records are gone`),
    changed: (_table, owner, key, after) =>
      console.log(`  ${key}: ${after ?? "deleted"} (${owner.name})`),
  },
);
const online = member.table("online");
console.log(`${member.self.name} listens`);

const lines = createInterface({ input: process.stdin });
for await (const line of lines) {
  const [verb, key = "", ...rest] = line.trim().split(/\s+/);
  if (verb === "put") online.put(key, rest.join(" "));
  else if (verb === "del") console.log(online.delete(key) ? "deleted" : "not mine");
  else if (verb === "get") print(online.get(key));
  else if (verb === "list") print(online.entries());
  else if (verb === "wait") {
    const { visibleAt, missing } = await member.settled();
    console.log(`visible at ${visibleAt.length} others, ${missing.length} did not answer`);
  } else if (verb === "quit") break;
  else if (verb !== "") console.log("put KEY VALUE, del KEY, get KEY, list, wait, quit");
}
await member.leave();

function print(entries: Iterable<{ key: string; value: string; owner: { name: string } }>): void {
  for (const { key, value, owner } of entries) console.log(`  ${key}: ${value} (${owner.name})`);
}
