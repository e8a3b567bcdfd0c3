import ipaddr from "ipaddr.js";

/** What one client can be expected to have: an IPv4 address, or the /64 of an IPv6 address (RFC 6177), as `2001:db8:0:7::/64`. */
export function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  // An IPv4 address that is written as IPv6 is looked at as what it is.
  const parsed = ipaddr.process(address);
  if (parsed instanceof ipaddr.IPv4) return parsed.toString();
  const prefix = parsed.parts.slice(0, 4).map((part) => part.toString(16));
  return `${prefix.join(":")}::/64`;
}
