import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256Of } from "@quorate/protocol/digest";
import { utf8 } from "@quorate/protocol/utf8";
import { createNoteKey, verifyNoteSignature } from "@quorate/signing/note-key";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { formatCheckpoint, parseCheckpoint } from "@quorate/tlog/checkpoint";
import { parseCosignature } from "@quorate/tlog/cosignature";
import { leafHash } from "@quorate/tlog/merkle";
import { formatVkey, parseNote, signNote } from "@quorate/tlog/note";
import { inclusionProofFromTiles } from "@quorate/tlog/tile-proof";
import { type WitnessPolicy, parseTlogPolicy, verifyCosignedCheckpoint } from "@quorate/tlog/tlog-policy";
import { formatTlogProof } from "@quorate/tlog/tlog-proof";
import { formatAddCheckpoint } from "@quorate/tlog/witness-request";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { choosePort } from "../../services/cli/src/up/ports.ts";
import { LogConstellation, append, publishedCheckpoint } from "../integration/log-constellation.ts";
import { type DebianPrograms, fetchDebianPrograms } from "./debian-programs.ts";

// Witnesses that other people wrote, as Debian forky ships them: two of four, with a quorum of three. Sigsum's follows logs whose name says
// their key, so this log has such a name.

const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const fromHex = (text: string) => new Uint8Array(Buffer.from(text, "hex"));

let directory: string;
let forky: DebianPrograms;
let constellation: LogConstellation;
let policy: WitnessPolicy;
let log: Awaited<ReturnType<LogConstellation["startLog"]>>;
let agent: ChildProcess;
let lite: ForeignWitness;
let sigsum: ForeignWitness;

/** A witness's process, which keeps its address and what it knows when it is killed and started again. */
class ForeignWitness implements AsyncDisposable {
  readonly url: string;
  readonly #command: readonly [string, string[]];
  #child: ChildProcess | undefined;

  constructor(port: number, command: readonly [string, string[]]) {
    this.url = `http://127.0.0.1:${port}`;
    this.#command = command;
  }

  async start(): Promise<void> {
    const [command, parameters] = this.#command;
    this.#child = spawn(command, parameters, { cwd: directory, stdio: "ignore" });
    await vi.waitFor(() => fetch(this.url), { timeout: 20_000 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child?.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill("SIGKILL");
    await once(this.#child, "exit");
  }
}

/** What a program of forky prints. Rejects unless it exits with 0. */
async function runForky(program: string, parameters: readonly string[], input = "", env: Record<string, string> = {}): Promise<string> {
  const { code, output } = await forky.run(program, parameters, { input, env });
  if (code !== 0) throw new Error(`${program} exited with ${code}: ${output}`);
  return output;
}

async function startAgent(): Promise<string> {
  const socket = join(directory, "agent");
  await runForky("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(directory, "lite")]);
  const [command, parameters] = forky.command("ssh-agent", ["-D", "-a", socket]);
  agent = spawn(command, parameters, { stdio: "ignore" });
  const env = { SSH_AUTH_SOCK: socket };
  await vi.waitFor(() => runForky("ssh-add", ["-q", join(directory, "lite")], "", env), { timeout: 20_000 });
  return socket;
}

async function prepareLite(logVkey: string): Promise<string> {
  const { name: origin } = constellation.config.signer.key;
  const database = join(directory, "lite.db");
  await runForky("witnessctl", ["add-log", "-db", database, "-origin", origin]);
  await runForky("witnessctl", ["add-key", "-db", database, "-origin", origin, "-key", logVkey]);
  const socket = await startAgent();
  const [, fingerprint = ""] = (await runForky("ssh-keygen", ["-l", "-f", join(directory, "lite.pub")])).split(" ");
  const port = await choosePort(new Set());
  const options = ["-db", database, "-key", fingerprint, "-name", "witness.example/lite", "-ssh-agent", socket];
  lite = new ForeignWitness(port, forky.command("litewitness", [...options, "-listen", `127.0.0.1:${port}`]));
  const key = join(directory, "lite.pub");
  return (await runForky("sigsum-key", ["to-vkey", "-k", key, "-n", "witness.example/lite", "-t", "cosignature/v1"])).trim();
}

async function prepareSigsum(logVkey: string): Promise<string> {
  await runForky("sigsum-key", ["from-vkey", "-o", join(directory, "log.pub")], `${logVkey}\n`);
  const key = join(directory, "sigsum");
  await runForky("sigsum-key", ["generate", "-o", key]);
  const port = await choosePort(new Set());
  const options = ["-k", key, "--log-key", join(directory, "log.pub"), "--state-file", join(directory, "sigsum.state")];
  sigsum = new ForeignWitness(port, forky.command("sigsum-witness", [...options, `127.0.0.1:${port}`]));
  const name = `sigsum.org/v1/witness/${(await runForky("sigsum-key", ["to-hash", "-k", `${key}.pub`])).trim()}`;
  return (await runForky("sigsum-key", ["to-vkey", "-k", `${key}.pub`, "-n", name, "-t", "cosignature/v1"])).trim();
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "quorate-foreign-"));
  // litewitness keeps its key with an SSH agent.
  const agentPackages = ["openssh-client", "openssh-common", "libselinux1", "libpcre2-8-0"];
  forky = await fetchDebianPrograms(directory, "forky", ["torchwood", "sigsum-go", ...agentPackages]);
  constellation = await LogConstellation.start({
    witnesses: 2,
    quorum: 2,
    originOf: (publicKey) => `sigsum.org/v1/tree/${sha256Of(publicKey)}`,
  });
  const logVkey = formatVkey(constellation.config.signer.key);
  const vkeys = { lite: await prepareLite(logVkey), sigsum: await prepareSigsum(logVkey) };
  const foreign = `witness lite ${vkeys.lite} ${lite.url}\nwitness sigsum ${vkeys.sigsum} ${sigsum.url}\n`;
  policy = parseTlogPolicy(constellation.policyText.replace("group witnesses 2 w1 w2", `${foreign}group witnesses 3 w1 w2 lite sigsum`));
  await lite.start();
  await sigsum.start();
  log = await constellation.startLog({ policy });
});

afterAll(async () => {
  await log?.[Symbol.asyncDispose]();
  await lite?.[Symbol.asyncDispose]();
  await sigsum?.[Symbol.asyncDispose]();
  agent?.kill();
  await constellation?.[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

let entries = 0;

/** Who cosigned the checkpoint that the next entry is published under. */
async function cosignersOfNext(): Promise<string[]> {
  entries += 1;
  const { status, checkpoint } = await append(log.url, `key/${entries}`, utf8(`entry ${entries}`));
  expect(status).toBe(200);
  const { witnesses } = verifyCosignedCheckpoint(checkpoint ?? "", policy, verifyNoteSignature);
  return witnesses.map(({ name }) => name).toSorted();
}

test("both cosign, beside our own", async () => {
  // The log waits for the quorum and 50 ms more; a busy machine may need a few checkpoints until all four are in one.
  await expect.poll(cosignersOfNext, { timeout: 60_000 }).toEqual(["lite", "sigsum", "w1", "w2"]);
});

test("three of four are enough, two publish nothing, and who comes back catches up", async () => {
  await sigsum[Symbol.asyncDispose]();
  expect(await cosignersOfNext()).toEqual(["lite", "w1", "w2"]);
  await lite[Symbol.asyncDispose]();
  const before = await publishedCheckpoint(log.url, policy);
  entries += 1;
  const refused = await append(log.url, `key/${entries}`, utf8(`entry ${entries}`));
  expect(refused.status).toBe(503);
  expect(await publishedCheckpoint(log.url, policy)).toEqual(before);
  await sigsum.start();
  await expect.poll(async () => (await publishedCheckpoint(log.url, policy))?.size, { timeout: 30_000 }).toBe(entries);
  await lite.start();
  await expect.poll(cosignersOfNext, { timeout: 60_000 }).toEqual(["lite", "sigsum", "w1", "w2"]);
  expect(constellation.failures).toEqual([]);
});

/** Each of the four, asked by hand. */
const witnessUrls = () => ({ lite: lite.url, sigsum: sigsum.url, w1: policy.witnesses[0]?.url, w2: policy.witnesses[1]?.url });

async function askAll(body: string): Promise<Record<string, string>> {
  const answers = Object.entries(witnessUrls()).map(async ([name, url]) => {
    const response = await fetch(`${url}/add-checkpoint`, { method: "POST", body });
    const text = await response.text();
    const isSize = response.headers.get("content-type") === "text/x.tlog.size";
    return [name, `${response.status}${isSize ? ` ${text.trim()}` : ""}`];
  });
  return Object.fromEntries(await Promise.all(answers));
}

const fromAll = (answer: string) => ({ lite: answer, sigsum: answer, w1: answer, w2: answer });

describe("asked by hand, they and ours answer alike", () => {
  let noteText: string;
  let size: number;
  const sign = (text: string) => signNote(text, [constellation.config.signer]);

  beforeAll(async () => {
    await vi.waitFor(
      async () => {
        const cosigners = await cosignersOfNext();
        if (cosigners.length < 4) throw new Error(`only ${cosigners.join(", ")} cosigned`);
      },
      { timeout: 60_000 },
    );
    noteText = await (await fetch(`${log.url}/checkpoint`)).text();
    ({ size } = parseCheckpoint(parseNote(noteText).text));
  });

  test("200 to what they have", async () => {
    expect(await askAll(formatAddCheckpoint({ oldSize: size, proof: [], noteText }))).toEqual(fromAll("200"));
  });

  test("409 with their size to another old size", async () => {
    expect(await askAll(formatAddCheckpoint({ oldSize: 0, proof: [], noteText }))).toEqual(fromAll(`409 ${size}`));
  });

  test("404 to an unknown origin", async () => {
    const other = createNoteKey(join(directory, "other"), "log.example/other", "ed25519");
    const { root } = parseCheckpoint(parseNote(noteText).text);
    const unknown = signNote(formatCheckpoint({ origin: other.key.name, size, root }), [other]);
    expect(await askAll(formatAddCheckpoint({ oldSize: size, proof: [], noteText: unknown }))).toEqual(fromAll("404"));
  });

  test("403 to a stranger's signature", async () => {
    const stranger = createNoteKey(join(directory, "stranger"), constellation.config.signer.key.name, "ed25519");
    const forged = signNote(parseNote(noteText).text, [stranger]);
    expect(await askAll(formatAddCheckpoint({ oldSize: size, proof: [], noteText: forged }))).toEqual(fromAll("403"));
  });

  test("422 to a proof that proves nothing", async () => {
    const { origin } = parseCheckpoint(parseNote(noteText).text);
    const fork = sign(formatCheckpoint({ origin, size: size + 1, root: leafHash(utf8("fork")) }));
    expect(await askAll(formatAddCheckpoint({ oldSize: size, proof: [leafHash(utf8("x"))], noteText: fork }))).toEqual(fromAll("422"));
  });

  test("422 or 409 without a size to another root of their size (docs/decisions/0050)", async () => {
    const { origin } = parseCheckpoint(parseNote(noteText).text);
    const fork = sign(formatCheckpoint({ origin, size, root: leafHash(utf8("fork")) }));
    const answers = await askAll(formatAddCheckpoint({ oldSize: size, proof: [], noteText: fork }));
    expect(answers).toEqual({ lite: "422", sigsum: "422", w1: "409", w2: "409" });
  });
});

describe("their verifiers accept", () => {
  const readTile = async (path: string) => new Uint8Array(await (await fetch(`${log.url}/${path}`)).arrayBuffer());

  /** An entry under the newest checkpoint. */
  async function proven(entry: Uint8Array) {
    const { index = 0 } = await append(log.url, `proven/${sha256Of(entry)}`, entry);
    const noteText = await (await fetch(`${log.url}/checkpoint`)).text();
    const { size, root } = parseCheckpoint(parseNote(noteText).text);
    const hashes = await inclusionProofFromTiles(index, { size, readTile, hasher: nodeHasher });
    return { index, hashes, noteText, size, root };
  }

  test("a tlog-proof of each entry of a log of some hundred, and none that is changed (torchwood)", async () => {
    for (let number = 0; number < 300; number += 1) await append(log.url, `more/${number}`, utf8(`more ${number}`), "sequenced");
    const file = join(directory, "entry");
    for (const text of ["first", "second", "third"]) {
      const proof = await proven(utf8(text));
      expect(proof.size).toBeGreaterThan(300);
      await writeFile(file, text);
      // This program knows the format by an earlier name, without the first line.
      const spicy = formatTlogProof(proof).replace("c2sp.org/tlog-proof@v1\n", "");
      await writeFile(`${file}.spicy`, spicy);
      const verified = runForky("spicy-torchwood", ["-verify", formatVkey(constellation.config.signer.key), file]);
      expect(await verified).toContain("verified");
      await writeFile(
        `${file}.spicy`,
        spicy.replace(/^index (\d+)/, (_, index) => `index ${Number(index) - 1}`),
      );
      await expect(runForky("spicy-torchwood", ["-verify", formatVkey(constellation.config.signer.key), file])).rejects.toThrow(
        "could not verify inclusion",
      );
    }
  });

  test("checkpoint, quorum of cosignatures and inclusion as a Sigsum proof, and not below the quorum (sigsum-verify)", async () => {
    const submitter = join(directory, "submitter");
    await runForky("sigsum-key", ["generate", "-o", submitter]);
    const message = "what is logged\n";
    const request = await runForky("sigsum-submit", ["-k", submitter], message);
    const [checksum = "", signature = "", key = ""] = Array.from(request.matchAll(/=([0-9a-f]+)/g), ([, value = ""]) => value);
    const leaf = [sha256Of(fromHex(checksum)), signature, sha256Of(fromHex(key))] as const;
    const proof = await proven(fromHex(leaf.join("")));
    const policyFile = join(directory, "policy");
    const text = await readFile(join(directory, "log.pub"), "utf8");
    expect(text).toMatch(/^ssh-ed25519 /);
    await writeFile(policyFile, sigsumPolicy(3));
    const sigsumProof = formatSigsumProof({ ...proof, leaf: [leaf[2], leaf[1]] });
    await writeFile(join(directory, "proof"), sigsumProof);
    const options = ["-k", `${submitter}.pub`, "-p", policyFile, join(directory, "proof")];
    expect(await runForky("sigsum-verify", options, message)).toBe("");
    await expect(runForky("sigsum-verify", options, "something else\n")).rejects.toThrow("leaf signature not valid");

    const cosignatures = sigsumProof.match(/^cosignature=.*\n/gm) ?? [];
    expect(cosignatures.length).toBeGreaterThanOrEqual(3);
    await writeFile(join(directory, "proof"), sigsumProof.replace(cosignatures.slice(2).join(""), ""));
    await expect(runForky("sigsum-verify", options, message)).rejects.toThrow("not enough cosignatures");
  });

  /** The policy in Sigsum's own syntax: keys in hexadecimal, no names in them. */
  function sigsumPolicy(threshold: number): string {
    const lines = policy.witnesses.map(({ name, key }) => `witness ${name} ${toHex(key.publicKey)}`);
    const group = `group all-witnesses ${threshold} ${policy.witnesses.map(({ name }) => name).join(" ")}`;
    return [`log ${toHex(constellation.config.signer.key.publicKey)}`, ...lines, group, "quorum all-witnesses", ""].join("\n");
  }

  type Proven = Awaited<ReturnType<typeof proven>>;

  function formatSigsumProof({ index, hashes, noteText, size, root, leaf }: Proven & { leaf: readonly string[] }): string {
    const { signatures } = parseNote(noteText);
    const { key } = constellation.config.signer;
    const own = signatures.find(({ name }) => name === key.name)?.signature ?? new Uint8Array(0);
    const cosignatures = policy.witnesses.flatMap((witness) => {
      const line = signatures.find(({ name }) => name === witness.key.name);
      if (line === undefined) return [];
      const { time, signature } = parseCosignature(line);
      return [`cosignature=${sha256Of(witness.key.publicKey)} ${time} ${toHex(signature)}`];
    });
    const head = [`size=${size}`, `root_hash=${toHex(root)}`, `signature=${toHex(own)}`, ...cosignatures];
    const inclusion = [`leaf_index=${index}`, ...hashes.map((hash) => `node_hash=${toHex(hash)}`)];
    return ["version=2", `log=${sha256Of(key.publicKey)}`, `leaf=${leaf.join(" ")}`, "", ...head, "", ...inclusion, ""].join("\n");
  }
});
