import { parsePackageStanza } from "@quorate/debian/packages";
import { parseSourceStanza } from "@quorate/debian/sources";
import { type Target, targetDigestOf } from "@quorate/protocol/target";
import { ArchiveError } from "./archive-error.ts";
import type { IndexFile } from "./index-file.ts";
import { planTargets } from "./plan-targets.ts";

/**
 * Whether a target says of its source and of its artifacts just what the signed indices of its own suite say: whoever made it can have
 * put in no digest of their own. `openIndex` gives an index of that suite by source name, checked against its pin.
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
