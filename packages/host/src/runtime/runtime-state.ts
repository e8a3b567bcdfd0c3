import { escapePath } from "@quorate/attestation/path-text";
import type { Sha256 } from "@quorate/protocol/digest";
import { utf8 } from "@quorate/protocol/utf8";
import { sha256FromHash } from "@quorate/tlog/hash";
import { leafHash, rootOf } from "@quorate/tlog/merkle";
import type { RuntimeFinding } from "./runtime-class.ts";

/**
 * Root hash (RFC 6962) of what processes run: sorted lines `CLASS PATH PACKAGE`, with `-` where no package is known. How many processes run it makes
 * no difference. Sweeps that found the same have the same root.
 */
export function runtimeStateOf(findings: readonly RuntimeFinding[]): Sha256 {
  const lines = new Set(findings.map(({ class: found, path, package: owner = "-" }) => `${found} ${escapePath(path)} ${owner}`));
  return sha256FromHash(rootOf([...lines].sort().map((line) => leafHash(utf8(line)))));
}
