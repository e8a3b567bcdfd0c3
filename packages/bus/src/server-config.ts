import type { Authority } from "./authority.ts";

export type ServerConfig = {
  authority: Authority;
  host: string;
  port: number;
  /** Of all that the server keeps. */
  directory: string;
  /** PEM files; without them connections are not encrypted, and belong on one host or behind a proxy that encrypts. */
  tls?: { certificateFile: string; keyFile: string };
  /** Port for WebSockets, with the same encryption. */
  webSocketPort?: number;
};

/**
 * Configuration text of a nats-server that serves this network: operator mode (users come and go without a restart), JetStream on
 * disk, and the two accounts preloaded. `port` -1 lets the server choose.
 *
 *     port: 4222
 *     jetstream { store_dir: "/var/lib/quorate/nats/jetstream" … }
 *     operator: eyJ0eXAi…
 */
export function formatServerConfig(options: ServerConfig): string {
  const { authority, host, port, directory, tls, webSocketPort } = options;
  const encryption = tls && `tls { cert_file: ${JSON.stringify(tls.certificateFile)}, key_file: ${JSON.stringify(tls.keyFile)} }`;
  const webSocket = `websocket { host: ${JSON.stringify(host)}, port: ${webSocketPort}, ${encryption ?? "no_tls: true"} }`;
  const { system, account } = authority;
  return `host: ${JSON.stringify(host)}
port: ${port}
server_name: quorate
max_payload: 1MB
max_connections: 10000
write_deadline: "10s"
jetstream { store_dir: ${JSON.stringify(`${directory}/jetstream`)}, max_memory_store: 256MB, max_file_store: 8GB }
operator: ${authority.operatorJwt}
system_account: ${system.publicKey}
resolver: { type: full, dir: ${JSON.stringify(`${directory}/accounts`)}, allow_delete: true, interval: "2m" }
resolver_preload: { ${system.publicKey}: ${system.jwt}, ${account.publicKey}: ${account.jwt} }
${encryption === undefined ? "" : `${encryption}\n`}${webSocketPort === undefined ? "" : `${webSocket}\n`}`;
}
