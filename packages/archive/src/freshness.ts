import type { Release } from "@quorate/debian/release";
import { ArchiveError } from "./archive-error.ts";

/** How far ahead of this machine's clock an archive may be. */
export const maxFutureSeconds = 600;

export type FreshnessQuestion = {
  suite: string;
  allowExpired: boolean;
  now: Date;
  /** `date` of the newest Release seen of this suite before. */
  newestDate?: string | undefined;
};

/**
 * Whether a verified Release may be taken for a suite's present state: a mirror may hold back new states, or serve one suite's signed file
 * for another's.
 *
 * @returns expired: true when it is past its Valid-Until and `allowExpired` takes it all the same
 * @throws ArchiveError "wrong-suite", "expired", "not-yet-valid" or "older-than-known"
 */
export function verifyFreshness(release: Release, { suite, allowExpired, now, newestDate }: FreshnessQuestion): { expired: boolean } {
  const what = `checking InRelease of ${suite}`;
  if (release.suite !== suite && release.codename !== suite) {
    const named = `suite ${release.suite ?? "without a name"}, codename ${release.codename ?? "none"}`;
    throw new ArchiveError("wrong-suite", `${what}: the signed file is of another suite (${named})`);
  }
  if (Date.parse(release.date) > now.getTime() + maxFutureSeconds * 1000) {
    throw new ArchiveError("not-yet-valid", `${what}: it is dated ${release.date}, in the future; is this machine's clock right?`);
  }
  if (newestDate !== undefined && Date.parse(release.date) < Date.parse(newestDate)) {
    throw new ArchiveError(
      "older-than-known",
      `${what}: the archive serves the state of ${release.date}, after that of ${newestDate} was seen`,
    );
  }
  const expired = release.validUntil !== undefined && Date.parse(release.validUntil) < now.getTime();
  if (expired && !allowExpired) {
    const hint = "use a mirror that is up to date, or set allowExpired for this archive (targets will record it)";
    throw new ArchiveError("expired", `${what}: it was valid until ${release.validUntil}; ${hint}`);
  }
  return { expired };
}
