import { lookup } from "node:dns/promises";
import { BlockList, isIP } from "node:net";
import { PassingError } from "../../protocol/errors.ts";

/** IPv4 that is not one host of the public internet (IANA special-purpose registry, RFC 6890 and successors). */
const CLOSED_V4: [network: string, prefix: number][] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10], // carrier-grade NAT
  ["127.0.0.0", 8],
  ["169.254.0.0", 16], // link-local, and the clouds' metadata servers
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3], // multicast, reserved, broadcast
];

/** Within global unicast 2000::/3, what is special or carries an IPv4 address inside. All outside of it is closed anyway. */
const CLOSED_V6: [network: string, prefix: number][] = [
  ["2001::", 23], // Teredo, ORCHID and other protocol assignments
  ["2001:db8::", 32],
  ["2002::", 16], // 6to4
  ["3fff::", 20],
];

const closed = new BlockList();
for (const [network, prefix] of CLOSED_V4) closed.addSubnet(network, prefix, "ipv4");
for (const [network, prefix] of CLOSED_V6) closed.addSubnet(network, prefix, "ipv6");

const global6 = new BlockList();
global6.addSubnet("2000::", 3, "ipv6");

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

export type AddressRules = {
  /** Let this machine itself pass: for networks that live on one machine. */
  allowLoopback: boolean;
};

/** Whether we may connect to an IP address that a stranger named. */
export function isOpenAddress(address: string, { allowLoopback }: AddressRules): boolean {
  const version = isIP(address);
  if (version === 0) return false;
  const family = version === 4 ? "ipv4" : "ipv6";
  if (loopback.check(address, family)) return allowLoopback;
  // An IPv4 address in IPv6 clothes (::ffff:a.b.c.d) is outside of 2000::/3.
  if (version === 6 && !global6.check(address, family)) return false;
  return !closed.check(address, family);
}

/**
 * Finds the one address to connect to for a host that a stranger named. The caller connects to this very address: a name that
 * resolves to something else a moment later changes nothing.
 * @throws PassingError if the host is, or resolves to, an address that is not public.
 */
export async function resolveOpenAddress(
  host: string,
  rules: AddressRules,
): Promise<{ address: string; family: 4 | 6 }> {
  const bare = host.replace(/^\[(.*)\]$/, "$1");
  const found = isIP(bare) ? [{ address: bare, family: isIP(bare) }] : await lookup(bare, { all: true });
  const bad = found.find(({ address }) => !isOpenAddress(address, rules));
  const first = found[0];
  if (bad !== undefined || first === undefined) {
    throw new PassingError(`${host} is ${bad?.address ?? "nowhere"}, an address that is not public.`);
  }
  return { address: first.address, family: first.family === 6 ? 6 : 4 };
}
