import type { InstalledPackage } from "@quorate/debian/dpkg-status";
import type { Sha256 } from "@quorate/protocol/digest";
import type { SnapshotArtifact } from "@quorate/verdict/snapshot-artifact";
import type { KnownPackages } from "../audit.ts";
import { type DpkgDatabase, loadDpkgDatabase } from "../dpkg-database.ts";
import { findAllOwners } from "../find-owners.ts";
import type { HostTree } from "../host-tree.ts";
import { Locator } from "../locator.ts";
import { placeMembers } from "../package-files.ts";
import type { RuntimeClass } from "./runtime-class.ts";

/** A file that the quorum rebuilt. */
export type KnownFile = {
  readonly artifact: SnapshotArtifact;
  /** The version that is installed; the file's own unless it was upgraded. */
  readonly installedVersion: string;
};

/** What bytes that nobody has rebuilt are, by where they are. */
export type UnknownPlace = { readonly class: RuntimeClass; readonly package?: string; readonly reason?: string };

type Known = KnownPackages & { findVersions(packages: ReadonlySet<string>): Iterable<SnapshotArtifact> };

/** What is known of the files of a host's packages by their digests: of every version, since a process may run the one before an upgrade. */
export class KnownPrograms {
  readonly #tree: HostTree;
  readonly #known: Known;
  readonly #database: DpkgDatabase;
  readonly #files = new Map<Sha256, KnownFile>();
  readonly #places = new Map<string, UnknownPlace>();
  #locator: Locator;

  private constructor(tree: HostTree, known: Known) {
    this.#tree = tree;
    this.#known = known;
    this.#database = loadDpkgDatabase(tree);
    this.#locator = new Locator(tree);
  }

  /** Of all packages that are installed. @throws Error when the tree has no dpkg database */
  static async load(tree: HostTree, known: Known): Promise<KnownPrograms> {
    const programs = new KnownPrograms(tree, known);
    await programs.#learn(programs.#database.packages);
    return programs;
  }

  /** Of those packages only that have something at one of the paths. @throws Error when the tree has no dpkg database */
  static async loadAt(paths: readonly string[], tree: HostTree, known: Known): Promise<KnownPrograms> {
    const programs = new KnownPrograms(tree, known);
    const places = new Set(paths.map((path) => programs.#placeOf(path)));
    await programs.#learn([...new Set([...programs.#ownersOf(places).values()].flat())]);
    return programs;
  }

  async #learn(packages: readonly InstalledPackage[]): Promise<void> {
    const installed = Map.groupBy(packages, (one) => `${one.package} ${one.architecture}`);
    for (const artifact of this.#known.findVersions(new Set(packages.map((one) => one.package)))) {
      const versions = installed.get(`${artifact.package} ${artifact.architecture}`)?.map(({ version }) => version);
      if (versions === undefined || artifact.outcome !== "reproduced") continue;
      const isInstalled = versions.includes(artifact.version);
      const installedVersion = isInstalled ? artifact.version : versions.join(", ");
      for (const { part, sha256 } of (await this.#known.loadManifest(artifact)) ?? []) {
        if (part !== "data" || sha256 === undefined || (!isInstalled && this.#files.has(sha256))) continue;
        this.#files.set(sha256, { artifact, installedVersion });
      }
    }
  }

  get locator(): Locator {
    return this.#locator;
  }

  /** From here on links are followed again: they may lead elsewhere while a host is watched. */
  beginSweep(): void {
    this.#locator = new Locator(this.#tree);
  }

  find(sha256: Sha256): KnownFile | undefined {
    return this.#files.get(sha256);
  }

  /** Looks at places that have bytes which nobody has rebuilt; `unknownAt` answers for them from then on. */
  async lookAt(paths: ReadonlySet<string>): Promise<void> {
    const places = new Set([...paths].map((path) => this.#placeOf(path)).filter((place) => !this.#places.has(place)));
    if (places.size === 0) return;
    const owners = this.#ownersOf(places);
    for (const place of places) this.#places.set(place, await this.#judge(place, owners.get(place) ?? []));
  }

  unknownAt(path: string): UnknownPlace {
    return this.#places.get(this.#placeOf(path)) ?? judgeUnowned(path.slice(1));
  }

  #ownersOf(places: ReadonlySet<string>): ReadonlyMap<string, readonly InstalledPackage[]> {
    return findAllOwners(places, { tree: this.#tree, database: this.#database, locator: this.#locator });
  }

  #placeOf(path: string): string {
    return this.#locator.locate(path.slice(1));
  }

  async #judge(place: string, owners: readonly InstalledPackage[]): Promise<UnknownPlace> {
    for (const installed of owners) {
      for (const artifact of this.#known.find(installed).filter(({ outcome }) => outcome === "reproduced")) {
        const manifest = (await this.#known.loadManifest(artifact)) ?? [];
        const placing = { tree: this.#tree, locator: this.#locator, database: this.#database };
        const member = placeMembers(installed, manifest, placing).find(({ path }) => path === place)?.member;
        if (member !== undefined) return { class: member.conffile ? "locally-configured" : "modified", package: installed.package };
        // dpkg's list has it, and the package has not.
        if (manifest.length > 0) return judgeUnowned(place);
      }
    }
    const [owner] = owners;
    if (owner === undefined) return judgeUnowned(place);
    return { class: "unverified", package: owner.package, reason: `no verdict on version ${owner.version} that has a manifest` };
  }
}

/** Where only packages put programs, and where anybody may. */
const watchedPlaces = /^(?:(?:usr\/)?(?:bin|sbin|lib|lib32|lib64|libx32|libexec|games)|tmp|var\/tmp|dev|run)\//;

function judgeUnowned(place: string): UnknownPlace {
  return watchedPlaces.test(place) ? { class: "unowned" } : { class: "local-program" };
}
