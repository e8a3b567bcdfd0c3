import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { InstalledPackage } from "@quorate/debian/dpkg-status";

const run = promisify(execFile);
/** Debian Policy §2.5, the highest first. */
const basePriorities = ["required", "important", "standard"];
const format = ["${Package}", "${Architecture}", "${Priority}", "${Pre-Depends}, ${Depends}", "${Provides}"].join("\t");

type Described = { readonly installed: InstalledPackage; readonly priority: string; readonly depends: string; readonly provides: string };

/**
 * The packages of a base system among those that are installed: by dpkg's own fields those of the priorities required, important and
 * standard, then, breadth first, what they depend on. What is beyond `limit` is left out, be it depended on or not.
 */
export async function chooseBasePackages(packages: readonly InstalledPackage[], limit: number): Promise<InstalledPackage[]> {
  const described = await describePackages(packages);
  const byName = new Map<string, Described>();
  for (const one of described) for (const name of namesIn(one.provides)) byName.set(name, one);
  for (const one of described) byName.set(one.installed.package, one);
  // A set is walked in the order of insertion, with what is added on the way.
  const chosen = new Set(basePriorities.flatMap((priority) => described.filter((one) => one.priority === priority)));
  for (const { depends } of chosen) {
    for (const name of namesIn(depends)) {
      const dependency = byName.get(name);
      if (dependency !== undefined) chosen.add(dependency);
    }
  }
  return [...chosen].slice(0, limit).map(({ installed }) => installed);
}

async function describePackages(packages: readonly InstalledPackage[]): Promise<Described[]> {
  const { stdout } = await run("dpkg-query", ["--show", `--showformat=${format}\n`], { maxBuffer: 1 << 26 });
  const rows = stdout.split("\n").map((line) => line.split("\t"));
  const rowOf = new Map(rows.map(([name, architecture, ...fields]) => [`${name} ${architecture}`, fields]));
  return packages.map((installed) => {
    const [priority = "", depends = "", provides = ""] = rowOf.get(`${installed.package} ${installed.architecture}`) ?? [];
    return { installed, priority, depends, provides };
  });
}

/** The names in a relation field, Debian Policy §7.1: every alternative, without versions and architectures. */
const namesIn = (relations: string): string[] =>
  relations.split(/[,|]/).flatMap((one) => /^\s*([a-z0-9][a-z0-9+.-]+)/.exec(one)?.[1] ?? []);
