import { type ManifestMember, formatManifest, parseManifest } from "@quorate/attestation/manifest";
import { digestOf, sampleTarget } from "@quorate/attestation/nouns.fixture";
import type { InstalledPackage } from "@quorate/debian/dpkg-status";
import type { KnownPackages } from "@quorate/host/audit";
import type { DirectoryTree } from "@quorate/host/directory-tree";
import { type DpkgDatabase, loadDpkgDatabase, loadInstalledPaths } from "@quorate/host/dpkg-database";
import { Locator } from "@quorate/host/locator";
import type { SnapshotArtifact } from "@quorate/verdict/snapshot-artifact";

const signal = new AbortController().signal;

/** Packages as a snapshot has them, the files of theirs that have bytes, and where all that they have is. */
export type DescribedHost = {
  known: KnownPackages;
  paths: string[];
  packages: readonly InstalledPackage[];
  placesOf: ReadonlyMap<InstalledPackage, readonly string[]>;
};

/** A manifest of each installed package, as an operator would have made it, if its files are what the package installed. */
export async function describeHost(tree: DirectoryTree): Promise<DescribedHost> {
  const database = loadDpkgDatabase(tree);
  const locator = new Locator(tree);
  const texts = new Map<string, string>();
  const hashed = new Set<string>();
  const placesOf = new Map<InstalledPackage, string[]>();
  for (const installed of database.packages) {
    const members = await membersOf(installed, { tree, database, locator, hashed });
    texts.set(keyOf(installed), formatManifest(members));
    placesOf.set(
      installed,
      members.map(({ path }) => locator.locate(database.diversions.get(path)?.to ?? path)),
    );
  }
  const known: KnownPackages = {
    find: (installed) => [artifactOf(installed)],
    loadManifest: async (artifact) => parseManifest(texts.get(keyOf(artifact)) ?? ""),
  };
  return { known, paths: [...hashed], packages: database.packages, placesOf };
}

type Describing = { tree: DirectoryTree; database: DpkgDatabase; locator: Locator; hashed: Set<string> };

async function membersOf(installed: InstalledPackage, { tree, database, locator, hashed }: Describing): Promise<ManifestMember[]> {
  const paths = new Map(
    loadInstalledPaths(tree, database, installed).map((path) => [path, locator.locate(database.diversions.get(path)?.to ?? path)]),
  );
  const digests = await tree.hash(
    [...paths.values()].filter((place) => tree.node(place)?.kind === "file"),
    { signal },
  );
  return [...paths].flatMap(([path, place]): ManifestMember[] => {
    const node = tree.node(place);
    if (node === undefined || node.kind === "socket" || node.kind === "unreadable") return [];
    const { kind, mode, uid, gid, linkTarget } = node;
    const digest = digests.get(place);
    if (digest?.kind === "hashed") hashed.add(place);
    return [
      {
        part: "data",
        path,
        kind,
        mode,
        owner: String(uid),
        group: String(gid),
        sizeBytes: kind === "file" ? node.sizeBytes : 0,
        ...(digest?.kind === "hashed" ? { sha256: digest.sha256 } : {}),
        ...(linkTarget === undefined ? {} : { linkTarget }),
        conffile: false,
      },
    ];
  });
}

const keyOf = ({ package: name, version, architecture }: Pick<InstalledPackage, "package" | "version" | "architecture">) =>
  `${name} ${version} ${architecture}`;

function artifactOf({ package: name, version, architecture, source }: InstalledPackage): SnapshotArtifact {
  const { distribution, suite } = sampleTarget;
  const common = {
    package: name,
    version,
    architecture,
    sha256: digestOf(`${name} ${version}`),
    outcome: "reproduced" as const,
    verdictIndex: 0,
  };
  return { ...common, distribution, suite, source: source.source, sourceVersion: source.version, file: `${name}.deb`, vouchers: [] };
}
