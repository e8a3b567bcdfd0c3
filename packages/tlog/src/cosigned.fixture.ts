import { formatCheckpoint } from "./checkpoint.ts";
import { cosign } from "./cosignature.ts";
import type { Hash } from "./hash.ts";
import { type NoteSigner, formatNote, parseNote, signNote } from "./note.ts";
import { testSigner } from "./signer.fixture.ts";

export const testLog = testSigner("log.example", 1);
export const testWitnesses = [2, 3, 4, 5].map((seed) => testSigner(`w${seed}.example`, seed, "cosignature"));

/** For tests: a checkpoint of `testLog`, cosigned at time 1000 by the witnesses. */
export function cosigned({ size, root }: { size: number; root: Hash }, witnesses: readonly NoteSigner[]): string {
  const text = formatCheckpoint({ origin: testLog.key.name, size, root });
  const { signatures } = parseNote(signNote(text, [testLog]));
  return formatNote(text, [...signatures, ...witnesses.map((signer) => cosign({ text, time: 1000, signer }))]);
}
