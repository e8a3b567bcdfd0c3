import type { ConnectionsEnd } from "@quorate/protocol/operator-view";

/** What people are told of connections that do not end at once. */
export function connectionLines(end: ConnectionsEnd | undefined): string[] {
  return end === "later"
    ? ["connected  still: the network's NATS server is away; what the old credentials connected ends when it is back"]
    : [];
}
