import { statSync } from "node:fs";
import { DirectoryTree } from "@quorate/host/directory-tree";
import type { FileHasher } from "@quorate/host/file-hasher";
import { identityText } from "@quorate/host/file-identity";
import type { JitPolicy } from "@quorate/host/runtime/jit-policy";
import { KnownPrograms } from "@quorate/host/runtime/known-programs";
import { MappedFiles } from "@quorate/host/runtime/mapped-files";
import { type Sweep, decideRuntimeOutcome, sweepProcesses } from "@quorate/host/runtime/sweep";
import { snapshotLayout } from "@quorate/host/snapshot-directory";
import { decideFreshness } from "@quorate/tlog/cosigned-time";
import { type HostSnapshot, type SnapshotOptions, openSnapshot } from "../host-snapshot.ts";
import type { RuntimeReport } from "../runtime-report.ts";
import { defaultFreshnessSeconds, defaultSnapshotDirectory } from "../snapshot-defaults.ts";
import { type HostEvidence, gatherEvidence } from "./host-evidence.ts";

type Known = { readonly snapshot: HostSnapshot; readonly programs: KnownPrograms; readonly identity: string };

/** A host whose processes are looked at again and again; what is known of its packages is read anew when it has changed. */
export class WatchedHost {
  readonly subject: string;
  readonly root: string;
  readonly #options: SnapshotOptions;
  readonly #hasher: FileHasher;
  readonly #jit: JitPolicy;
  readonly #files = new MappedFiles(Math.random);
  #known: Known | undefined;

  constructor(subject: string, options: SnapshotOptions, { hasher, jit }: { hasher: FileHasher; jit: JitPolicy }) {
    this.subject = subject;
    this.root = subject.replace(/\/+$/, "");
    this.#options = options;
    this.#hasher = hasher;
    this.#jit = jit;
  }

  /** @param textShare of how many processes the pages of their text are looked at, in a random choice @param pids default all */
  async sweep(textShare: number, pids?: readonly number[]): Promise<RuntimeReport> {
    const { snapshot, programs } = await this.#current();
    const looksAtText = () => Math.random() < textShare;
    const sweep = await sweepProcesses({ root: this.root, known: programs, files: this.#files, jit: this.#jit, looksAtText }, pids);
    // A snapshot ages while it is used.
    const freshness = decideFreshness({
      policy: snapshot.policy.witnessPolicy,
      witnesses: snapshot.witnesses,
      now: new Date(),
      freshnessSeconds: this.#options.freshness ?? defaultFreshnessSeconds,
    });
    const outcome = decideRuntimeOutcome(sweep, freshness.kind === "fresh");
    return { subject: this.subject, sweep, snapshot: { ...snapshot, freshness }, outcome };
  }

  /** What there is besides a sweep, as it is now. */
  async gatherEvidence(sweep: Sweep): Promise<HostEvidence> {
    return gatherEvidence(this.root, sweep, (await this.#current()).programs);
  }

  async #current(): Promise<Known> {
    const state = snapshotLayout(this.#options.snapshot ?? defaultSnapshotDirectory).state;
    const identity = [state, `${this.root}/var/lib/dpkg/status`].map(identityAt).join(" ");
    if (this.#known?.identity !== identity) {
      const snapshot = await openSnapshot(this.#options);
      const programs = await KnownPrograms.load(new DirectoryTree(this.subject, this.#hasher), snapshot.artifacts);
      this.#known = { snapshot, programs, identity };
    }
    return this.#known;
  }
}

/** Of a file that is missing, whoever opens it says so. */
function identityAt(path: string): string {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? "" : identityText(stats);
}
