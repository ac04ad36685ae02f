import { expect, test } from "vitest";
import { isInNetwork } from "../../src/base/ip-network.ts";

test.each([
  ["127.0.0.1", "127.0.0.0/8", true],
  ["128.0.0.1", "127.0.0.0/8", false],
  ["10.16.15.1", "10.16.0.0/20", true],
  ["10.16.16.1", "10.16.0.0/20", false],
  ["10.1.2.3", "10.1.2.3", true],
  ["10.1.2.4", "10.1.2.3/32", false],
  ["::ffff:10.1.2.3", "10.0.0.0/8", true],
  ["10.1.2.3", "::ffff:10.0.0.0/104", true],
  ["10.1.2.3", "0.0.0.0/0", true],
  ["::1", "0.0.0.0/0", false],
  ["10.1.2.3", "::/0", true],
  ["::1", "::1", true],
  ["0:0:0:0:0:0:0:1", "::1/128", true],
  ["2001:db8:1::5", "2001:db8::/32", true],
  ["2001:db9::5", "2001:db8::/32", false],
  ["fe80::1%eth0", "fe80::/10", true],
  ["nonsense", "0.0.0.0/0", false],
  ["10.1.2.3", "10.0.0.0/33", false],
  ["10.1.2.3", "10.0.0/8", false],
  ["1:2:3:4:5:6:7:8:9", "::/0", false],
  ["1::2::3", "::/0", false],
])("ip network: is %s in %s? %s", (address, network, expected) => {
  expect(isInNetwork(address, network)).toBe(expected);
});
