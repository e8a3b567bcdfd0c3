import { type Sha256, parseSha256 } from "@quorate/protocol/digest";
import { packageNameSchema } from "@quorate/protocol/names";
import { ParseError } from "@quorate/protocol/parse-error";
import { boundedText } from "@quorate/tlog/bounded-text";

/** Which programs may make code in memory: by their digest, or every verified program of a package. A name alone allows nothing. */
export type JitPolicy = { readonly digests: ReadonlySet<Sha256>; readonly packages: ReadonlySet<string> };

const maxPolicyBytes = 1_000_000;

/** Packages of Debian whose programs are made of code that they make. */
export const usualJitPolicy: JitPolicy = {
  digests: new Set(),
  packages: new Set([
    "nodejs",
    "chromium",
    "firefox-esr",
    "luajit",
    "php8.2-cli",
    "php8.4-cli",
    "openjdk-17-jre-headless",
    "openjdk-21-jre-headless",
  ]),
};

/**
 * A file of them, with `#` before remarks:
 *
 *     package nodejs
 *     sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
 *
 * @throws ParseError
 */
export function parseJitPolicy(body: Uint8Array | string): JitPolicy {
  const [digests, packages] = [new Set<Sha256>(), new Set<string>()];
  for (const line of boundedText("JIT policy", body, maxPolicyBytes).split("\n")) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const [kind, value = "", ...more] = line.split(" ");
    if (more.length > 0) throw new ParseError("line of a JIT policy", line);
    if (kind === "sha256") digests.add(parseSha256(value));
    else if (kind === "package" && packageNameSchema.safeParse(value).success) packages.add(value);
    else throw new ParseError("line of a JIT policy", line);
  }
  return { digests, packages };
}
