import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/** Where webhooks may be sent: over https to the public network, or anywhere. */
export type WebhookAddresses = "public" | "any";

/** Whether an IP address is one of the public network: not loopback, not of a private or local network, not one that another is hidden in. */
export function isPublicAddress(address: string): boolean {
  // An IPv4 address that is written as IPv6 is looked at as what it is.
  return ipaddr.isValid(address) && ipaddr.process(address).range() === "unicast";
}

export class ForbiddenAddress extends Error {}

/**
 * The address to connect to for a host of a URL, of those that it has the first that is allowed. Whoever connects uses this address and
 * does not ask again: a name may mean another address a moment later.
 *
 * @throws ForbiddenAddress when the host has no address that is allowed
 */
export async function allowedAddressOf(hostname: string, isAllowed: (address: string) => boolean): Promise<string> {
  const host = hostname.replace(/^\[|\]$/g, "");
  const addresses = isIP(host) > 0 ? [host] : (await lookup(host, { all: true })).map(({ address }) => address);
  const allowed = addresses.find((address) => isAllowed(address));
  if (allowed === undefined) throw new ForbiddenAddress(`${hostname} is not an address of the public network`);
  return allowed;
}
