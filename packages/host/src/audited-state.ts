import { escapePath } from "@quorate/attestation/path-text";
import type { Sha256 } from "@quorate/protocol/digest";
import { utf8 } from "@quorate/protocol/utf8";
import { sha256FromHash } from "@quorate/tlog/hash";
import { leafHash, rootOf } from "@quorate/tlog/merkle";
import type { Audit } from "./audit.ts";

/**
 * Root hash (RFC 6962) of what an audit found: sorted lines, `package NAME VERSION ARCHITECTURE SHA256`, with `-` for an unverified one, and `file
 * CLASS PATH` for every file that is not `verified`. Audits that found the same have the same root.
 */
export function auditedStateOf({ packages, findings }: Audit): Sha256 {
  const lines = [
    ...packages.map(
      ({ installed: { package: name, version, architecture }, artifact }) =>
        `package ${name} ${version} ${architecture} ${artifact?.sha256 ?? "-"}`,
    ),
    ...findings.flatMap(({ class: found, path }) => (found === "verified" ? [] : [`file ${found} ${escapePath(path)}`])),
  ];
  return sha256FromHash(rootOf(lines.sort().map((line) => leafHash(utf8(line)))));
}
