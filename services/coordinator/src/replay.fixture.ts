import type { Api } from "@quorate/client/api";
import { createBlobs } from "@quorate/client/blobs";
import { createLogReader } from "@quorate/client/log-reader";
import type { Verdict } from "@quorate/protocol/verdict";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { verifyNoteSignature } from "@quorate/signing/note-key";
import { verifyP256 } from "@quorate/signing/p256-key";
import { parseVkey } from "@quorate/tlog/note";
import { createReplay } from "@quorate/verdict/replay";

/** Recomputes everything that a network's log says. @throws ReplayError at the first entry that breaks a rule */
export async function replayLog(api: Api): Promise<{ verdicts: { index: number; verdict: Verdict }[] }> {
  const { logUrl, logKey, networkKey } = await api.network();
  const reader = createLogReader({ url: logUrl, signedBy: { keys: [parseVkey(logKey)], verify: verifyNoteSignature }, hasher: nodeHasher });
  const blobs = createBlobs({ url: api.url });
  const { checkpoint } = await reader.checkpoint();
  const replay = createReplay({
    networkKey: Buffer.from(networkKey, "base64"),
    loadBlob: (sha256) => blobs.get(sha256),
    loadEntry: (index) => reader.entry(index, checkpoint.size),
    loadLeaves: (index) => reader.hashes({ level: 0, index }, checkpoint.size),
    verify: verifyP256,
    hasher: nodeHasher,
  });
  const verdicts: { index: number; verdict: Verdict }[] = [];
  for await (const entry of reader.entries({ from: 0, to: checkpoint.size, size: checkpoint.size })) {
    const statement = await replay.add(entry);
    if (statement.kind === "verdict") verdicts.push({ index: entry.index, verdict: statement.verdict });
  }
  if (!Buffer.from(await replay.rootAt(checkpoint.size)).equals(checkpoint.root))
    throw new Error("replaying: the entries have another root");
  return { verdicts };
}
