import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type ManifestMember, parseManifest } from "@quorate/attestation/manifest";
import { loadBlobFile } from "@quorate/client/blob-directory";
import type { InstalledPackage } from "@quorate/debian/dpkg-status";
import type { Sha256 } from "@quorate/protocol/digest";
import { type Snapshot, parseSnapshot } from "@quorate/verdict/snapshot";
import { type SnapshotArtifact, parseSnapshotArtifact } from "@quorate/verdict/snapshot-artifact";

/** Files of a snapshot: the state, the policy it was verified under, a mirror of the log, and blobs by their digests. */
export function snapshotLayout(directory: string) {
  return {
    state: join(directory, "snapshot.json"),
    policy: join(directory, "policy"),
    log: join(directory, "log"),
    blobs: join(directory, "blobs"),
    artifacts: (sha256: string) => join(directory, `artifacts-${sha256}`),
  };
}

/** The newest state in a directory; `undefined` where there is none. @throws Error for one that is damaged */
export async function loadSnapshot(directory: string): Promise<Snapshot | undefined> {
  const { state } = snapshotLayout(directory);
  const bytes = await readFile(state).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  });
  return bytes && parseSnapshot(bytes);
}

/** What a snapshot says of artifacts, offline. A line is parsed when it is asked for: there are many, and a host has few of them. */
export class SnapshotArtifacts {
  readonly #blobs: string;
  readonly #lines: Map<string, string[]>;
  /** Made when it is first needed: a gate asks for each of many files, an audit for none. */
  #byDigest: Map<string, string[]> | undefined;

  private constructor(directory: string, text: string) {
    this.#blobs = snapshotLayout(directory).blobs;
    this.#lines = Map.groupBy(
      text.split("\n").filter((line) => line !== ""),
      (line) => line.split(" ", 3).join(" "),
    );
  }

  /** @throws Error when the list is not the one that the state names */
  static async load(directory: string, { artifacts: sha256 }: Pick<Snapshot, "artifacts">): Promise<SnapshotArtifacts> {
    const path = snapshotLayout(directory).artifacts(sha256);
    const bytes = await readFile(path);
    if (createHash("sha256").update(bytes).digest("hex") !== sha256)
      throw new Error(`reading ${path}: its digest differs; run quorate sync again`);
    return new SnapshotArtifacts(directory, bytes.toString());
  }

  find({ package: name, version, architecture }: Pick<InstalledPackage, "package" | "version" | "architecture">): SnapshotArtifact[] {
    return (this.#lines.get(`${name} ${version} ${architecture}`) ?? []).map((line) => parseSnapshotArtifact(line));
  }

  /** Those of a package file, whatever it calls itself. */
  findByDigest(sha256: Sha256): SnapshotArtifact[] {
    this.#byDigest ??= Map.groupBy([...this.#lines.values()].flat(), (line) => line.split(" ", 4)[3] ?? "");
    return (this.#byDigest.get(sha256) ?? []).map((line) => parseSnapshotArtifact(line));
  }

  /** Every version of some packages. */
  *findVersions(packages: ReadonlySet<string>): Generator<SnapshotArtifact> {
    for (const [key, lines] of this.#lines)
      if (packages.has(key.slice(0, key.indexOf(" ")))) for (const line of lines) yield parseSnapshotArtifact(line);
  }

  *all(): Generator<SnapshotArtifact> {
    for (const lines of this.#lines.values()) for (const line of lines) yield parseSnapshotArtifact(line);
  }

  /** `undefined` when it is not in the snapshot. */
  async loadManifest({ manifest }: SnapshotArtifact): Promise<ManifestMember[] | undefined> {
    const bytes = manifest && (await loadBlobFile(this.#blobs, manifest));
    return bytes && parseManifest(new TextDecoder().decode(bytes));
  }
}
