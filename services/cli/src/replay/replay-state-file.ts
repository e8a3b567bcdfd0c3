import { readFile, stat } from "node:fs/promises";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { sha256Schema } from "@quorate/protocol/digest";
import { utf8 } from "@quorate/protocol/utf8";
import { formatBase64 } from "@quorate/tlog/base64";
import type { Checkpoint } from "@quorate/tlog/checkpoint";
import { formatHash, parseHash } from "@quorate/tlog/hash";
import { type ReplaySnapshot, replaySnapshotSchema } from "@quorate/verdict/replay-snapshot";
import { z } from "zod";
import { CommandError, errorLine } from "../command-error.ts";
import { saveFile } from "../own-files.ts";

const format = "https://quorate.dev/replay-state/v1";
/** A string of Node holds no more. */
const maxStateBytes = 2 ** 29 - 24;

/** The first line of the file; the second is the snapshot. */
const headSchema = z.strictObject({
  format: z.literal(format),
  origin: z.string().min(1).max(255),
  size: z.int().min(0),
  root: z.string().transform((text) => parseHash("root in a replay's state", text)),
  networkKey: z.string(),
  /** Of the second line. */
  sha256: sha256Schema,
});

/** Up to where a log was replayed, and what was learnt until there. */
export type SavedReplay = { readonly reached: Checkpoint; readonly snapshot: ReplaySnapshot };

/** Whose log it is: a state says nothing about another log, or about the same one to who believes another network. */
export type ReplayedLog = { readonly origin: string; readonly networkKey: Uint8Array };

/** The state that an earlier replay left; `undefined` when there is none. @throws CommandError for a file that is not the state of this log */
export async function loadReplayState(path: string, { origin, networkKey }: ReplayedLog): Promise<SavedReplay | undefined> {
  const text = await readState(path);
  if (text === undefined) return undefined;
  try {
    const end = text.indexOf("\n");
    const [head, body] = [parseHead(text.slice(0, end)), text.slice(end + 1)];
    if (head.origin !== origin) throw new Error(`it is about the log ${head.origin}, not ${origin}`);
    if (head.networkKey !== formatBase64(networkKey)) throw new Error("it was made with another network's key than the policy has");
    if (nodeHasher.digest(utf8(body)) !== head.sha256) throw new Error("it is damaged: its content has another digest");
    return { reached: head, snapshot: replaySnapshotSchema.parse(JSON.parse(body)) };
  } catch (cause) {
    throw new CommandError(`reading the state ${path}: ${errorLine(cause)}; give another file to --state, or delete it to begin anew`, {
      cause,
    });
  }
}

/** After a crash either the earlier state or this one is there, whole. */
export async function saveReplayState(path: string, { reached, snapshot }: SavedReplay, networkKey: Uint8Array): Promise<void> {
  const { origin, size, root } = reached;
  const body = `${JSON.stringify(snapshot)}\n`;
  const sha256 = nodeHasher.digest(utf8(body));
  const head = { format, origin, size, root: formatHash(root), networkKey: formatBase64(networkKey), sha256 };
  await saveFile(path, `${JSON.stringify(head)}\n${body}`);
}

async function readState(path: string): Promise<string | undefined> {
  try {
    const { size } = await stat(path);
    if (size > maxStateBytes)
      throw new CommandError(`reading the state ${path}: it has ${size} bytes, which no state has; give another file to --state`);
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

function parseHead(line: string): z.infer<typeof headSchema> {
  const value: unknown = JSON.parse(line);
  const version = z.looseObject({ format: z.string() }).safeParse(value).data?.format;
  if (version === undefined) throw new Error("it is no state of a replay");
  if (version !== format) throw new Error(`it has the format ${version}, and this version of quorate reads ${format}`);
  return headSchema.parse(value);
}
