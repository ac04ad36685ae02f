/** When does a node have its peers' tables? */
import { expect, test } from "vitest";
import { ClusterReadiness, type Synced } from "../../src/server/cluster-readiness.ts";

test("readiness: a peer that is up counts once its tables are here", () => {
  const peer = { name: "n2", incarnation: 1, boot: "0000000000000002" };
  let synced = false;
  const cluster: Synced = { peers: () => [peer], synced: () => synced };
  const readiness = new ClusterReadiness("n1");
  readiness.listed(0, [{ name: "n2", address: "n2:1" }]);
  expect(readiness.update(1, cluster)).toContain("n2");
  synced = true;
  expect(readiness.update(2, cluster)).toBeUndefined();
  // Who is ready stays so.
  synced = false;
  expect(readiness.update(3, cluster)).toBeUndefined();
});
