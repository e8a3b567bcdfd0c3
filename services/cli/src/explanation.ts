import { createHash } from "node:crypto";
import { pathToFileURL } from "node:url";
import { predicateTypeOf } from "@quorate/attestation/predicate-type";
import { createLogReader } from "@quorate/client/log-reader";
import { snapshotLayout } from "@quorate/host/snapshot-directory";
import { predicateTypes } from "@quorate/protocol/entry";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { formatHash } from "@quorate/tlog/hash";
import type { SnapshotArtifact } from "@quorate/verdict/snapshot-artifact";
import type { HostSnapshot } from "./host-snapshot.ts";

/** From an artifact to who vouches for it, each link read from the log's mirror and proved to be under the checkpoint. */
export type Explanation = {
  readonly artifact: SnapshotArtifact;
  readonly verdict: { readonly index: number; readonly envelope: string };
  readonly operators: readonly { readonly name: string; readonly index: number; readonly envelope: string }[];
};

/** @throws VerificationError when the mirror has other entries than the checkpoint's tree */
export async function explainArtifact(artifact: SnapshotArtifact, { directory, checkpoint }: HostSnapshot): Promise<Explanation> {
  const reader = createLogReader({ url: pathToFileURL(snapshotLayout(directory).log).href, hasher: nodeHasher });
  await reader.checkpoint();
  // `quorate sync` has read every entry: what is asked here is whether the mirror still has them.
  const read = async (index: number, type: string): Promise<string> => {
    const bytes = await reader.entry(index, checkpoint.size);
    const found = predicateTypeOf(bytes);
    if (found !== type && found !== predicateTypes.largeEnvelope)
      throw new Error(`explaining ${artifact.file}: entry ${index} is of the type ${found} and not ${type}`);
    return createHash("sha256").update(bytes).digest("hex");
  };
  const verdict = { index: artifact.verdictIndex, envelope: await read(artifact.verdictIndex, predicateTypes.verdict) };
  const operators = [];
  for (const { name, index } of artifact.vouchers) operators.push({ name, index, envelope: await read(index, predicateTypes.built) });
  return { artifact, verdict, operators };
}

export function explanationLines({ artifact, verdict, operators }: Explanation, { checkpoint, witnesses }: HostSnapshot): string[] {
  const width = Math.max(0, ...operators.map(({ name }) => name.length));
  return [
    `  package     ${artifact.package} ${artifact.version} (${artifact.architecture}): ${artifact.file}, SHA-256 ${artifact.sha256}`,
    `  manifest    ${artifact.manifest ?? "none"}`,
    `  operators   ${operators.length} of your policy built it bit for bit:`,
    ...operators.map(({ name, index, envelope }) => `                ${name.padEnd(width)}  log entry ${index}, envelope ${envelope}`),
    `  verdict     ${artifact.outcome}, log entry ${verdict.index}, envelope ${verdict.envelope}`,
    `  source      ${artifact.distribution}/${artifact.suite} ${artifact.source} ${artifact.sourceVersion}`,
    `  checkpoint  ${checkpoint.origin}, ${checkpoint.size} entries, root ${formatHash(checkpoint.root)}`,
    `  witnesses   ${witnesses.map(({ name, time }) => `${name} at ${new Date(time * 1000).toISOString()}`).join(", ")}`,
  ];
}
