import type { Release } from "@quorate/debian/release";
import type { EnvironmentPin, IndexPin, SuitePin } from "@quorate/protocol/target";
import { listedIndex } from "./index-loader.ts";
import type { SuiteState } from "./suite-state.ts";

/** The paths of the Packages indices that a machine architecture uses, as the repository format says for architecture `all`. */
export function packagesPaths(release: Release, components: readonly string[], architecture: string): string[] {
  const architectures = release.separateArchitectureAll ? [architecture, "all"] : [architecture];
  return components.flatMap((component) =>
    architectures
      .map((name) => `${component}/binary-${name}/Packages`)
      // An archive without packages of architecture `all` in a component has no such index.
      .filter((path) => !path.includes("/binary-all/") || release.files.has(path)),
  );
}

export function sourcesPath(component: string): string {
  return `${component}/source/Sources`;
}

/** The state of some suites as a pin: each InRelease by digest, and by the digest of its text each index that a build resolves from. */
export function environmentPinOf(
  states: readonly SuiteState[],
  { suite, components, architecture }: { suite: string; components: readonly string[]; architecture: string },
): EnvironmentPin {
  const suites = states.map((state): SuitePin => {
    const packages = packagesPaths(state.release, components, architecture);
    const sources = state.suite === suite ? components.map(sourcesPath) : [];
    const indices = [...packages, ...sources].sort().map((path): IndexPin => {
      const { sizeBytes, sha256 } = listedIndex(state.release, state.suite, path);
      return { path, sizeBytes, sha256 };
    });
    return { suite: state.suite, inReleaseSha256: state.inRelease.sha256, indices };
  });
  return { kind: "suite", suites, expiredAllowed: states.some((state) => state.expired) };
}
