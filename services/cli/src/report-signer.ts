import { createPublicKey, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { formatEnvelope, pae } from "@quorate/attestation/dsse";
import { formatCanonicalJson } from "@quorate/protocol/canonical-json";
import type { ReportPlace } from "@quorate/protocol/report-place";
import { sha256Schema } from "@quorate/protocol/digest";
import { utf8 } from "@quorate/protocol/utf8";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { type P256Signer, createP256Key, loadP256Key } from "@quorate/signing/p256-key";
import { z } from "zod";
import { CommandError, errorLine } from "./command-error.ts";
import { holdDirectory } from "./held-directory.ts";
import { readIfThere, saveFile } from "./own-files.ts";

const lastSchema = z.strictObject({ sequence: z.int().min(1), sha256: sha256Schema });

/**
 * The envelope of what a host reports, signed with the key in a directory of its own, which is made unless it is there. Reports are numbered and
 * each names the one before: whoever gets them notices when one is left out, or comes again. A number is used once, whatever happens to the report.
 */
export async function signReport(directory: string, formatPayload: (place: ReportPlace) => string): Promise<Uint8Array> {
  using held = new DisposableStack();
  held.use(await holdDirectory(directory));
  const signer = await openKey(directory);
  const path = join(directory, "last-report.json");
  const last = parseLast(path, await readIfThere(path));
  const sequence = (last?.sequence ?? 0) + 1;
  const nonce = randomBytes(16).toString("hex");
  const payload = utf8(formatPayload({ sequence, nonce, ...(last === undefined ? {} : { previous: last.sha256 }) }));
  const envelope = formatEnvelope({ payload, signatures: [signer.sign(pae(payload))] });
  await saveFile(path, `${formatCanonicalJson({ sequence, sha256: nodeHasher.digest(envelope) })}\n`);
  return envelope;
}

async function openKey(directory: string): Promise<P256Signer> {
  const path = join(directory, "key.pem");
  const signer = existsSync(path) ? loadP256Key(path) : createP256Key(path);
  const publicKey = createPublicKey({ key: Buffer.from(signer.spki), format: "der", type: "spki" });
  await saveFile(join(directory, "key.pub"), publicKey.export({ type: "spki", format: "pem" }).toString(), { replace: false });
  return signer;
}

function parseLast(path: string, text: string | undefined): z.infer<typeof lastSchema> | undefined {
  try {
    return text === undefined ? undefined : lastSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new CommandError(`reading ${path}: ${errorLine(cause)}; without it nobody knows which report came last`, { cause });
  }
}
