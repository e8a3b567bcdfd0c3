import { readFile } from "node:fs/promises";
import type { VerifySignature } from "@quorate/attestation/p256";
import { loadVerifier } from "@quorate/signing/verifier";
import { CommandError, errorLine } from "./command-error.ts";

/** What verifies signatures for a reader: those of keyless operators by the trusted root that `--trusted-root` names. */
export async function loadReaderVerifier({ trustedRoot }: { trustedRoot?: string | undefined }): Promise<VerifySignature> {
  if (trustedRoot === undefined) return loadVerifier(undefined);
  try {
    return await loadVerifier(await readFile(trustedRoot, "utf8"));
  } catch (cause) {
    throw new CommandError(`reading the trusted root ${trustedRoot}: ${errorLine(cause)}`, { cause });
  }
}
