import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A network namespace with one wire to this host: programs in it reach this host at `hostAddress`, and nothing else. */
export interface NetworkNamespace extends AsyncDisposable {
  readonly hostAddress: string;
  /** Of the other end of the wire. */
  readonly address: string;
  /** Words that run a program in it; files and processes are this host's. */
  readonly enter: readonly string[];
  /** Sockets that listen in it. */
  listening(): Promise<string[]>;
  /** As this host sees them: with the address of the other end. */
  connections(): Promise<string[]>;
}

export async function createNetworkNamespace(): Promise<NetworkNamespace> {
  const id = randomBytes(3).toString("hex");
  const [name, outer, inner] = [`quorate-${id}`, `qo${id}`, `qi${id}`];
  const network = `10.231.${Number.parseInt(id.slice(0, 2), 16)}`;
  const [hostAddress, address] = [`${network}.1`, `${network}.2`];
  const enter = ["nsenter", `--net=/run/netns/${name}`, "--"];
  const ip = async (...words: string[]) => run("ip", words);
  const inside = async (...words: string[]) => run(enter[0] ?? "", [...enter.slice(1), ...words]);
  await ip("netns", "add", name);
  try {
    await ip("link", "add", outer, "type", "veth", "peer", "name", inner, "netns", name);
    await ip("address", "add", `${hostAddress}/30`, "dev", outer);
    await ip("link", "set", outer, "up");
    await inside("ip", "address", "add", `${address}/30`, "dev", inner);
    await inside("ip", "link", "set", inner, "up");
    await inside("ip", "link", "set", "lo", "up");
  } catch (error) {
    await ip("netns", "delete", name);
    throw error;
  }
  const lines = (text: string) => text.split("\n").filter((line) => line !== "");
  return {
    hostAddress,
    address,
    enter,
    listening: async () => lines((await inside("ss", "-Hltun")).stdout),
    connections: async () => lines((await run("ss", ["-Htn", "src", hostAddress])).stdout),
    // The wire goes with the namespace.
    [Symbol.asyncDispose]: async () => void (await ip("netns", "delete", name)),
  };
}
