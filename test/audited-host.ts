import { execFile } from "node:child_process";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { formatTrace } from "@quorate/attestation/build-trace";
import { sampleTarget } from "@quorate/attestation/nouns.fixture";
import { writeLogFile, writeTiles } from "@quorate/client/served-log.fixture";
import { type Sha256, sha256Of } from "@quorate/protocol/digest";
import type { Byproduct } from "@quorate/protocol/result";
import type { Target } from "@quorate/protocol/target";
import { utf8 } from "@quorate/protocol/utf8";
import { TestNetwork, honestTrace } from "@quorate/verdict/network.fixture";
import { formatTrustPolicy } from "@quorate/verdict/trust-policy";
import { type AuditOptions, runAudit } from "../services/cli/src/commands/audit.ts";
import { type SyncOptions, runSync } from "../services/cli/src/commands/sync.ts";
import { recordingContext } from "../services/cli/src/recording-terminal.fixture.ts";
import { readManifest } from "../services/worker/src/debian/deb-manifest.ts";

const run = promisify(execFile);
const names = ["ada", "bert", "cyd"];

/** The log's witnesses cosign in 1970. */
export const anyAge = 9_999_999_999;

/** A network that has reproduced packages, without having built them: their manifests are computed from the packages themselves. */
export class ReproducedPackages implements AsyncDisposable {
  readonly network = new TestNetwork();
  readonly blobs = new Map<Sha256, Uint8Array>();
  /** Paths that were asked for. */
  readonly requests: string[] = [];
  readonly #server = createServer((request, response) => {
    this.requests.push(request.url ?? "");
    const blob = [...this.network.blobs, ...this.blobs].find(([sha256]) => request.url === `/v1/blobs/sha256/${sha256}`)?.[1];
    response.writeHead(blob ? 200 : 404).end(blob);
  });
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async start(directory: string): Promise<ReproducedPackages> {
    const reproduced = new ReproducedPackages(directory);
    reproduced.network.appendPolicy();
    for (const name of names) reproduced.network.enrol(name);
    await new Promise<void>((resolve) => reproduced.#server.listen(0, "127.0.0.1", resolve));
    await writeFile(reproduced.policy, formatTrustPolicy(reproduced.network.trustPolicy()));
    return reproduced;
  }

  get policy(): string {
    return join(this.#directory, "policy");
  }

  get log(): string {
    return join(this.#directory, "log");
  }

  /** Three operators build a package and agree; `changes` are what single ones say instead. */
  async reproduce(deb: string, changes: (name: string) => { artifact?: string; manifest?: string } = () => ({})): Promise<void> {
    const { text } = await readManifest(deb, AbortSignal.timeout(60_000));
    const bytes = await readFile(deb);
    const target = targetOf(deb, bytes);
    const [artifact] = target.artifacts;
    if (artifact === undefined) throw new Error("a target has an artifact");
    this.network.appendTarget(target);
    this.network.runRound(this.network.roundFor(target), names, (name) => {
      const said = changes(name);
      const manifest = this.#blob("manifest", artifact.file, said.manifest ?? text);
      const trace = this.#blob("build-trace", "build.trace", formatTrace(honestTrace));
      const { source, version, architecture } = target;
      const sha256 = said.artifact === undefined ? artifact.sha256 : sha256Of(utf8(said.artifact));
      const artifacts = [{ name: artifact.file, sizeBytes: artifact.sizeBytes, sha256 }];
      return { result: { source, version, architecture, artifacts, byproducts: [trace, manifest] } };
    });
  }

  #blob(kind: Byproduct["kind"], name: string, text: string): Byproduct {
    const bytes = utf8(text);
    const sha256 = sha256Of(bytes);
    this.blobs.set(sha256, bytes);
    return { kind, name, sizeBytes: bytes.length, sha256, mediaType: "text/plain" };
  }

  /** Publishes the log as it is now. */
  async publish(): Promise<void> {
    await writeTiles(this.log, this.network.entries);
    await writeLogFile(this.log, "checkpoint", this.network.proof([]).checkpoint);
  }

  async sync(into: string, options: SyncOptions = {}): Promise<{ code: number; json: unknown }> {
    const context = recordingContext();
    const { port } = this.#server.address() as AddressInfo;
    const given = { log: this.log, policy: this.policy, into, freshness: anyAge, json: true, ...options };
    const code = await runSync(`http://127.0.0.1:${port}`, given, context);
    return { code, json: context.json[0] };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function targetOf(deb: string, bytes: Uint8Array): Target {
  const file = basename(deb);
  const [name = "", version = "", architecture = ""] = file
    .replace(/\.deb$/, "")
    .replaceAll("%3a", ":")
    .split("_");
  const artifact = { file, path: `pool/${file}`, package: name, version, architecture, sizeBytes: bytes.length, sha256: sha256Of(bytes) };
  return { ...sampleTarget, source: name, version, architecture, artifacts: [artifact] };
}

/** A root without a shell, with a merged /usr, into which dpkg installs packages. */
export async function createRoot(root: string): Promise<void> {
  for (const directory of [
    "usr/bin",
    "usr/sbin",
    "usr/lib",
    "etc",
    "var/lib/dpkg/info",
    "var/lib/dpkg/updates",
    "var/lib/dpkg/alternatives",
  ]) {
    await mkdir(join(root, directory), { recursive: true });
  }
  for (const name of ["bin", "sbin", "lib"]) await symlink(`usr/${name}`, join(root, name));
  await writeFile(join(root, "var/lib/dpkg/status"), "");
  await writeFile(join(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\nsmall:x:100:100::/nonexistent:/bin/false\n");
  await writeFile(join(root, "etc/group"), "root:x:0:\nsmall:x:100:\n");
}

export async function installDebs(root: string, debs: readonly string[], options: readonly string[] = []): Promise<void> {
  const env = { PATH: process.env["PATH"], LC_ALL: "C" };
  await run("dpkg", [`--root=${root}`, "--force-script-chrootless", "--log=/dev/null", "--no-triggers", ...options, "--install", ...debs], {
    env,
  });
}

export type AuditAnswer = {
  code: number;
  outcome: string;
  counts: Record<string, number>;
  findings: { class: string; path: string; package?: string; reason?: string }[];
  packages: { package: string; reason?: string }[];
  cache?: { reused: number };
  freshness: { kind: string };
};

/** Audits a root by its path, or what `subject` names. */
export async function audit(
  subject: string | Pick<AuditOptions, "root" | "tar" | "oci" | "cache">,
  snapshot: string,
): Promise<AuditAnswer> {
  const context = recordingContext();
  const what = typeof subject === "string" ? { root: subject } : subject;
  const code = await runAudit({ ...what, snapshot, freshness: anyAge, json: true }, context);
  return { code, ...(context.json[0] as Omit<AuditAnswer, "code">) };
}
