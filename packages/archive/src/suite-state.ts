import type { Release } from "@quorate/debian/release";
import { sha256Of } from "@quorate/protocol/digest";
import type { Archive } from "./archive-config.ts";
import { ArchiveError } from "./archive-error.ts";
import { fetchBytes, type FetchLimits } from "./fetch.ts";
import { openFileStore } from "./file-store.ts";
import { verifyFreshness } from "./freshness.ts";
import { type IndexFile, type StoredFile } from "./index-file.ts";
import { createIndexLoader } from "./index-loader.ts";
import { verifyInRelease } from "./in-release.ts";
import { openInReleaseNotes } from "./in-release-note.ts";

/** One suite as its archive signed it at one moment. */
export type SuiteState = {
  readonly suite: string;
  readonly release: Release;
  readonly inRelease: StoredFile;
  readonly signedBy: readonly string[];
  /** Past its Valid-Until, and taken only because the archive's configuration allows it. */
  readonly expired: boolean;
  /** When the archive last said that this is its present state. */
  readonly checkedAt: Date;
  /** An index by its path as InRelease lists it, uncompressed; fetched when it is not stored, opened once. @throws ArchiveError */
  index(path: string): Promise<IndexFile>;
};

export type SuiteStates = {
  /**
   * The suite's present state: from memory within `recheckSeconds`, otherwise after asking the archive whether InRelease changed.
   * `recheck` asks in any case.
   *
   * @throws ArchiveError
   */
  load(suite: string, options?: { recheck?: boolean }): Promise<SuiteState>;
};

export type SuiteStatesOptions = {
  archive: Archive;
  /** Kept between runs: InRelease files and index texts by digest. */
  cacheDirectory: string;
  /** How long an InRelease is taken without asking again. */
  recheckSeconds?: number;
  now?: () => Date;
  /** Its signal is that of the owner's life, not of one caller: concurrent callers share a request. */
  limits?: FetchLimits;
};

const maxInReleaseBytes = 16 * 1024 * 1024;

/** The suites of one archive, cached in memory and on disk. */
export async function createSuiteStates(options: SuiteStatesOptions): Promise<SuiteStates> {
  const { archive, cacheDirectory, recheckSeconds = 60, now = () => new Date(), limits = {} } = options;
  const { url, keyrings, allowExpired } = archive;
  const store = await openFileStore(cacheDirectory);
  const notes = await openInReleaseNotes(cacheDirectory, url);
  const held = new Map<string, { state: Promise<SuiteState>; checkedAt: Date }>();

  const check = async (suite: string, known: SuiteState | undefined): Promise<SuiteState> => {
    const note = await notes.load(suite);
    const stored = note === undefined ? undefined : await store.read(note.inRelease);
    const answer = await fetchBytes(`${url}/dists/${suite}/InRelease`, {
      ...limits,
      maxBytes: maxInReleaseBytes,
      known: stored === undefined ? undefined : note?.validators,
    });
    const bytes = answer.kind === "fetched" ? answer.bytes : stored;
    if (bytes === undefined)
      throw new ArchiveError("unreachable", `fetching InRelease of ${suite}: "not modified", to an unconditional request`);
    const checkedAt = now();
    const same = known?.inRelease.sha256 === sha256Of(bytes) ? known : undefined;
    const { release, signedBy } = same ?? (await verifyInRelease(bytes, keyrings, checkedAt));
    const { expired } = verifyFreshness(release, { suite, allowExpired, now: checkedAt, newestDate: note?.date });
    if (same !== undefined && (await store.touch(same.inRelease))) return { ...same, expired, checkedAt };
    const inRelease = await store.save(bytes);
    if (answer.kind === "fetched")
      await notes.save(suite, { inRelease: inRelease.sha256, date: release.date, validators: answer.validators });
    const index = createIndexLoader({ url, suite, release, store, limits });
    return { suite, release, inRelease, signedBy, expired, checkedAt, index };
  };

  return {
    load: async (suite, { recheck = false } = {}) => {
      const last = held.get(suite);
      if (last !== undefined && !recheck && now().getTime() - last.checkedAt.getTime() < recheckSeconds * 1000) return await last.state;
      const state = Promise.resolve(last?.state)
        .catch(() => undefined)
        .then(async (known) => await check(suite, known));
      held.set(suite, { state, checkedAt: now() });
      try {
        return await state;
      } catch (error) {
        // A failure is not remembered.
        if (held.get(suite)?.state === state) held.delete(suite);
        throw error;
      }
    },
  };
}
