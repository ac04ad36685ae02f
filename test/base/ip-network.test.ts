import { expect, test } from "vitest";
import { canonicalIpv6, isInNetwork } from "../../src/base/ip-network.ts";

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

// RFC 5952 §4 and §5
test.each([
  ["2001:0DB8:0:0:0:0:0:1", "2001:db8::1"],
  ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
  ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
  ["0:0:0:0:0:0:0:0", "::"],
  ["1:0:0:0:0:0:0:0", "1::"],
  ["::ffff:C000:0207", "::ffff:192.0.2.7"],
  ["::ffff:192.0.2.7", "::ffff:192.0.2.7"],
  ["1:2:3:4:5:6:192.0.2.7", "1:2:3:4:5:6:c000:207"],
  ["fe80::1%eth0", undefined],
  ["192.0.2.7", undefined],
  ["nonsense:", undefined],
])("ip network: %s is spelled %s", (text, canonical) => {
  expect(canonicalIpv6(text)).toBe(canonical);
});
