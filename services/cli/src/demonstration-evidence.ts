import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArchives } from "@quorate/archive/archive-config";
import { ArchiveError } from "@quorate/archive/archive-error";
import { fetchToFile } from "@quorate/archive/fetch";
import type { Api } from "@quorate/client/api";
import type { RoundView, SubmissionView } from "@quorate/protocol/submission";
import { writeDurableFile } from "@quorate/service/durable-file";
import { unlessMissing } from "./unless-missing.ts";
import type { Layout } from "./up/layout.ts";

/** Files that let someone else check a verdict. */
export type SavedEvidence = { proofPath?: string | undefined; debPath?: string | undefined };

type Given = { api: Api; layout: Layout; submission: SubmissionView; signal: AbortSignal };

/** Saves the proof of a verdict, and a published package that it is about, in the network's data directory. */
export async function saveEvidence({ api, layout, submission, signal }: Given): Promise<SavedEvidence> {
  const round = submission.rounds.find(({ verdict }) => verdict !== undefined && verdict.artifacts.length > 0);
  const artifact = round?.verdict?.artifacts[0];
  if (!round || !artifact) return {};
  await mkdir(layout.proofs, { recursive: true });
  const proofPath = join(layout.proofs, `${round.source}_${round.version.replaceAll(":", "%3a")}_${round.architecture}.proof.json`);
  const proof = await unlessMissing(api.proof(artifact.reference, { signal }));
  if (proof !== undefined) await writeDurableFile(proofPath, proof);
  return {
    proofPath: proof === undefined ? undefined : proofPath,
    debPath: await savePublished({ api, layout, signal, round, file: artifact.file }),
  };
}

/** The package as the distribution published it, checked by the digest in its signed index; absent where the mirror has it no more. */
async function savePublished(given: Omit<Given, "submission"> & { round: RoundView; file: string }): Promise<string | undefined> {
  const { api, layout, signal, round, file } = given;
  const target = await api.target(round.target, { signal });
  const expected = target.artifacts.find((artifact) => artifact.file === file);
  const archives = parseArchives(await readFile(layout.archives, "utf8"));
  const archive = archives.find(({ distribution }) => distribution === target.distribution);
  if (!expected || !archive) return undefined;
  const path = join(layout.proofs, file);
  try {
    await fetchToFile(`${archive.url}/${expected.path}`, { path, expected, signal });
    return path;
  } catch (error) {
    if (error instanceof ArchiveError) return undefined;
    throw error;
  }
}
