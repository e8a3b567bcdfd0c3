import { type Sha256, parseSha256 } from "@quorate/protocol/digest";
import { ParseError } from "@quorate/protocol/parse-error";
import type { GatedPackage } from "./gate.ts";

/** Where a host's gate keeps it, below the root. */
export const gatedFilesPath = "var/lib/quorate/gated";

type Named = Pick<GatedPackage, "package" | "version" | "architecture">;

/** Digests of the package files that a gate let through: dpkg does not keep them, and several files may have one name and version. */
export class GatedFiles {
  readonly #digests: Map<string, Sha256>;

  private constructor(digests: Map<string, Sha256>) {
    this.#digests = digests;
  }

  /**
   * A line a package: name, version, architecture, SHA-256 of the .deb.
   *
   *     hello 2.10-3 amd64 9f86…
   *
   * @throws ParseError
   */
  static parse(text: string): GatedFiles {
    const lines = text.split("\n");
    if (lines.pop() !== "") throw new ParseError("list of what a gate let through (each line ends in a newline)", text.slice(-200));
    const digests = lines.map((line): [string, Sha256] => {
      const [, named, sha256] = /^(\S+ \S+ \S+) ([0-9a-f]{64})$/.exec(line) ?? [];
      if (named === undefined || sha256 === undefined) throw new ParseError("line of what a gate let through", line);
      return [named, parseSha256(sha256)];
    });
    return new GatedFiles(new Map(digests));
  }

  /** The inverse of `parse`. */
  format(): string {
    return [...this.#digests]
      .map(([named, sha256]) => `${named} ${sha256}\n`)
      .sort()
      .join("");
  }

  find(named: Named): Sha256 | undefined {
    return this.#digests.get(keyOf(named));
  }

  /** With packages that take the place of their other versions. */
  with(packages: readonly (Named & { readonly sha256: Sha256 })[]): GatedFiles {
    const replaced = new Set(packages.map(({ package: name, architecture }) => `${name} ${architecture}`));
    const kept = [...this.#digests].filter(([named]) => {
      const [name, , architecture] = named.split(" ");
      return !replaced.has(`${name} ${architecture}`);
    });
    return new GatedFiles(new Map([...kept, ...packages.map((one): [string, Sha256] => [keyOf(one), one.sha256])]));
  }
}

const keyOf = ({ package: name, version, architecture }: Named): string => `${name} ${version} ${architecture}`;
