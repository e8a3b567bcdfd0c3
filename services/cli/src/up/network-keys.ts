import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createAuthority } from "@quorate/bus/authority";
import { architecturesOf } from "@quorate/protocol/host-architectures";
import type { OperatorId } from "@quorate/protocol/operator";
import { createNoteKey, loadNoteKey } from "@quorate/signing/note-key";
import { createOperatorDirectory, isOperatorDirectory, loadOperatorProfile } from "@quorate/signing/operator-directory";
import { createP256Key, loadP256Key, type P256Signer } from "@quorate/signing/p256-key";
import { parseBase64 } from "@quorate/tlog/base64";
import type { NoteAlgorithm, NoteKey } from "@quorate/tlog/note";
import type { Layout } from "./layout.ts";
import type { Settings } from "./settings.ts";

export type PublicKeys = {
  log: NoteKey;
  witnesses: readonly { name: string; key: NoteKey }[];
  network: Uint8Array;
  operators: readonly { name: string; id: OperatorId; firstKey: Uint8Array }[];
};

/** Where each key of an embedded network is; an operator has a directory, as every operator has. */
export const keyPaths = {
  log: (layout: Layout) => join(layout.keys, "log.key"),
  witness: (layout: Layout, index: number) => join(layout.keys, `witness-${index + 1}.key`),
  network: (layout: Layout) => join(layout.keys, "network.pem"),
  operator: (layout: Layout, name: string) => join(layout.keys, `operator-${name}`),
};

/** Keys of a first start that was interrupted: no service has used them, since services start after the settings are stored. */
export function deleteUnusedKeys(layout: Layout): void {
  rmSync(layout.keys, { recursive: true, force: true });
}

/** Loads the network's keys; makes those that are missing. */
export async function openKeys(layout: Layout, settings: Settings): Promise<PublicKeys> {
  mkdirSync(layout.keys, { recursive: true, mode: 0o700 });
  if (!existsSync(layout.natsAuthority)) await createAuthority(layout.natsAuthority);
  return {
    log: openNoteKey(keyPaths.log(layout), settings.origin, "ed25519"),
    witnesses: settings.witnesses.map((name, index) => ({
      name: `witness-${index + 1}`,
      key: openNoteKey(keyPaths.witness(layout, index), name, "cosignature"),
    })),
    network: openP256Key(keyPaths.network(layout)).spki,
    operators: settings.operators.map((name) => openOperator(keyPaths.operator(layout, name), name)),
  };
}

function openNoteKey(path: string, name: string, algorithm: NoteAlgorithm): NoteKey {
  return (existsSync(path) ? loadNoteKey(path) : createNoteKey(path, name, algorithm)).key;
}

function openP256Key(path: string): P256Signer {
  return existsSync(path) ? loadP256Key(path) : createP256Key(path);
}

function openOperator(directory: string, name: string): PublicKeys["operators"][number] {
  const said = { name, groups: {}, architectures: architecturesOf(process.arch), hostname: `${name}.localhost` };
  const profile = isOperatorDirectory(directory) ? loadOperatorProfile(directory) : createOperatorDirectory(directory, said).profile;
  return { name, id: profile.operator, firstKey: parseBase64("operator's key", profile.firstKey) };
}
