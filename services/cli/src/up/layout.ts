import { createHash } from "node:crypto";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** Where things are in the data directory of an embedded network. */
export interface Layout {
  readonly root: string;
  /** Keys, tokens and ports of this network: secret. */
  readonly settings: string;
  readonly keys: string;
  /** What `quorate verify --policy` reads. */
  readonly trustPolicy: string;
  /** tlog-policy text: the log and its witnesses. */
  readonly witnessPolicy: string;
  /** Witnesses that others run, if any: written by whoever runs the network. */
  readonly foreignWitnesses: string;
  /** trusted_root.json of those who certify keyless operators, if there are to be any: written by whoever runs the network. */
  readonly keylessRoot: string;
  /** The log that the witnesses cosign. */
  readonly witnessLogs: string;
  readonly archives: string;
  readonly networkPolicy: string;
  readonly natsAuthority: string;
  /** Downloaded packages, shared by the operators of this host, checked by digest at each use. */
  readonly packageCache: string;
  readonly proofs: string;
  /** Says where a running network listens, for the other commands on this host. */
  readonly running: string;
  readonly sockets: string;
  directory(service: string): string;
  log(child: string): string;
}

/** `~/.local/share/quorate`, or as XDG_DATA_HOME says. */
export function defaultDataDirectory(env: Readonly<Record<string, string | undefined>>): string {
  return join(env["XDG_DATA_HOME"] || join(homedir(), ".local/share"), "quorate");
}

export function layoutOf(dataDirectory: string): Layout {
  const root = resolve(dataDirectory);
  return {
    root,
    settings: join(root, "network.json"),
    keys: join(root, "keys"),
    trustPolicy: join(root, "policy"),
    witnessPolicy: join(root, "witness-policy"),
    foreignWitnesses: join(root, "foreign-witnesses"),
    keylessRoot: join(root, "trusted_root.json"),
    witnessLogs: join(root, "witness-logs"),
    archives: join(root, "archives.json"),
    networkPolicy: join(root, "network-policy.json"),
    natsAuthority: join(root, "keys", "nats-authority.json"),
    packageCache: join(root, "cache", "packages"),
    proofs: join(root, "proofs"),
    running: join(root, "running.json"),
    sockets: socketDirectory(root),
    directory: (service) => join(root, service),
    log: (child) => join(root, "logs", `${child}.log`),
  };
}

/** Of the 108 bytes that the kernel allows for a socket's path; leaves room for the longest name in it. */
const longestSocketDirectory = 80;

function socketDirectory(root: string): string {
  const inside = join(root, "sockets");
  if (Buffer.byteLength(inside) <= longestSocketDirectory) return inside;
  return join(tmpdir(), `quorate-${createHash("sha256").update(root).digest("hex").slice(0, 16)}`);
}
