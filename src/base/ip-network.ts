/**
 * IpNetwork: is this address in that network, and which network is it of?
 *
 * Addresses are compared as eight groups of 16 bits; an IPv4 address is its IPv4-mapped IPv6 one
 * (RFC 4291 §2.5.5.2), which is also how a dual-stack socket reports it.
 */

/** `network` is an address (`10.1.2.3`, `::1`) or one with a prefix length (`10.0.0.0/8`). */
export function isInNetwork(address: string, network: string): boolean {
  const [base = "", length] = network.split("/");
  const wanted = groupsOf(base);
  const found = groupsOf(address);
  if (wanted === undefined || found === undefined) return false;
  const isV4 = !base.includes(":");
  let bits = length === undefined ? 128 : Number(length) + (isV4 ? 96 : 0);
  if (!Number.isInteger(bits) || bits < 0 || bits > 128) return false;
  for (let group = 0; group < 8 && bits > 0; group += 1, bits -= 16) {
    const mask = bits >= 16 ? 0xffff : (0xffff << (16 - bits)) & 0xffff;
    if ((((wanted[group] ?? 0) ^ (found[group] ?? 0)) & mask) !== 0) return false;
  }
  return true;
}

function isIpv6(text: string): boolean {
  return text.includes(":") && !text.includes("%") && groupsOf(text) !== undefined;
}

/**
 * What one customer has: an IPv4 address is its own; of an IPv6 address the first 64 bits count, since
 * whoever has one address of such a network has all of it (RFC 4291 §2.5.4, RFC 6177). Text that is no
 * address stands for itself.
 */
export function customerNetwork(address: string): string {
  const groups = groupsOf(address);
  if (groups === undefined) return address;
  const v4 = mappedV4(groups);
  if (v4 !== undefined) return v4;
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(":")}::/64`;
}

/**
 * The one spelling of an IPv6 address (RFC 5952): lower case, the longest run of zeros as `::`, an
 * IPv4-mapped one with its end in decimal. Undefined for anything else.
 */
export function canonicalIpv6(text: string): string | undefined {
  const groups = isIpv6(text) ? groupsOf(text) : undefined;
  if (groups === undefined) return undefined;
  const mapped = mappedV4(groups);
  if (mapped !== undefined) return `::ffff:${mapped}`;
  let [from, length] = [0, 1]; // a single zero is not shortened (§4.2.2)
  for (let start = 0; start < 8; start += 1) {
    let end = start;
    while (groups[end] === 0) end += 1;
    if (end - start > length) [from, length] = [start, end - start];
  }
  const hex = groups.map((group) => group.toString(16));
  if (length === 1) return hex.join(":");
  return `${hex.slice(0, from).join(":")}::${hex.slice(from + length).join(":")}`;
}

/** Eight numbers, or undefined for what is no address. A zone (`fe80::1%eth0`) does not count. */
function groupsOf(text: string): readonly number[] | undefined {
  const [address = ""] = text.split("%");
  if (!address.includes(":")) {
    const pair = v4Groups(address);
    return pair === undefined ? undefined : [0, 0, 0, 0, 0, 0xffff, ...pair];
  }
  const halves = address.split("::");
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half) => (half === "" ? [] : groupList(half)));
  if (head === undefined) return undefined;
  if (halves.length === 1) return head.length === 8 ? head : undefined;
  if (tail === undefined || head.length + tail.length > 7) return undefined;
  return [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

/** The IPv4 address that an IPv4-mapped one stands for. */
function mappedV4(groups: readonly number[]): string | undefined {
  if (groups[5] !== 0xffff || groups.slice(0, 5).some((group) => group !== 0)) return undefined;
  const [, , , , , , high = 0, low = 0] = groups;
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

function groupList(text: string): readonly number[] | undefined {
  const parts = text.split(":");
  const groups: number[] = [];
  for (const [at, part] of parts.entries()) {
    const pair = at === parts.length - 1 && part.includes(".") ? v4Groups(part) : undefined;
    if (pair !== undefined) groups.push(...pair);
    else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}

function v4Groups(text: string): readonly [number, number] | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (parts === null) return undefined;
  const [a, b, c, d] = [Number(parts[1]), Number(parts[2]), Number(parts[3]), Number(parts[4])];
  return Math.max(a, b, c, d) > 255 ? undefined : [a * 256 + b, c * 256 + d];
}
