import { parsePackageStanza } from "@quorate/debian/packages";
import type { Release } from "@quorate/debian/release";
import { parseSourceStanza } from "@quorate/debian/sources";
import { sha256Of } from "@quorate/protocol/digest";
import { type SuitePin, type Target, targetDigestOf } from "@quorate/protocol/target";
import { ArchiveError } from "./archive-error.ts";
import { verifySignedSuite } from "./freshness.ts";
import type { IndexFile } from "./index-file.ts";
import { verifyInRelease } from "./in-release.ts";
import { planTargets } from "./plan-targets.ts";

/**
 * A suite's pin as signed by its archive: the InRelease file that it names, whose every pinned index is as InRelease lists it. Its
 * Valid-Until does not matter here: a pin is of a moment, and the target says whether that state had expired.
 *
 * @throws ArchiveError "digest-differs", "not-signed" or "wrong-suite"
 */
export async function verifySuitePin(
  pin: SuitePin,
  { inRelease, keyrings, now }: { inRelease: Uint8Array; keyrings: readonly string[]; now: Date },
): Promise<Release> {
  const what = `checking the pinned state of ${pin.suite}`;
  const digest = sha256Of(inRelease);
  if (digest !== pin.inReleaseSha256)
    throw new ArchiveError("digest-differs", `${what}: InRelease has ${digest}, the pin ${pin.inReleaseSha256}`);
  const { release } = await verifyInRelease(inRelease, keyrings, now);
  verifySignedSuite(release, pin.suite);
  for (const { path, sha256, sizeBytes } of pin.indices) {
    const listed = release.files.get(path);
    if (listed?.sha256 !== sha256 || listed.sizeBytes !== sizeBytes) {
      throw new ArchiveError("digest-differs", `${what}: InRelease lists ${path} as ${listed?.sha256 ?? "nothing"}, the pin as ${sha256}`);
    }
  }
  return release;
}

/**
 * Whether a target says of its source and of its artifacts just what the signed indices of its own suite say: whoever made it can have
 * put in no digest of their own. `openIndex` gives an index of that suite, checked against its pin.
 *
 * @throws ArchiveError "digest-differs" when it does not
 */
export async function verifyTarget(target: Target, openIndex: (path: string) => Promise<IndexFile>): Promise<Target> {
  const what = `checking the target ${target.source} ${target.version} (${target.architecture})`;
  const pin = target.environment.suites.find(({ suite }) => suite === target.suite);
  if (pin === undefined) throw new ArchiveError("wrong-suite", `${what}: its environment does not pin its suite ${target.suite}`);
  const sourcesPath = `${target.component}/source/Sources`;
  const packagesPaths = pin.indices.map(({ path }) => path).filter((path) => path.endsWith("/Packages"));
  const sources = await stanzasOf([sourcesPath], target.source, openIndex);
  const packages = await stanzasOf(packagesPaths, target.source, openIndex);
  // The architecture that `all` is built on names the indices, nothing in the target itself.
  const machine = target.architecture === "all" ? "any" : target.architecture;
  const { distribution, suite, source, version, architecture } = target;
  const plan = planTargets(
    { distribution, suite, source, version, architecture },
    {
      sources: sources.map((text) => ({ component: target.component, stanza: parseSourceStanza(text) })),
      packages: new Map([[machine, packages.map(parsePackageStanza)]]),
      environments: new Map([[machine, target.environment]]),
    },
  );
  const same = plan.kind === "resolved" && plan.targets.some((planned) => targetDigestOf(planned) === targetDigestOf(target));
  if (!same) throw new ArchiveError("digest-differs", `${what}: the signed indices of ${target.suite} say otherwise`);
  return target;
}

async function stanzasOf(paths: readonly string[], name: string, openIndex: (path: string) => Promise<IndexFile>): Promise<string[]> {
  const texts = await Promise.all(paths.map(async (path) => await (await openIndex(path)).stanzas(name)));
  return texts.flat();
}
