import type { Checkpoint } from "@quorate/tlog/checkpoint";
import { formatHash, parseHash } from "@quorate/tlog/hash";
import { z } from "zod";
import { CommandError, errorLine } from "./command-error.ts";
import { readIfThere, saveFile } from "./own-files.ts";

const publishedKept = 1024;

const checkStateSchema = z.strictObject({
  format: z.literal("https://quorate.dev/log-check/v1"),
  origin: z.string().min(1).max(255),
  size: z.int().min(0),
  root: z.string().transform((text) => parseHash("root in a check's state", text)),
  /** Sizes of published checkpoints that were seen, newest last. */
  published: z.array(z.int().min(0)).max(publishedKept),
});

/** What a check of a log's files found whole: the next one starts there. */
export type CheckState = Checkpoint & { readonly published: readonly number[] };

/** The state that an earlier check left; `undefined` when there is none. */
export async function loadCheckState(path: string, origin: string): Promise<CheckState | undefined> {
  const text = await readIfThere(path);
  if (text === undefined) return undefined;
  try {
    const { format: _format, ...state } = checkStateSchema.parse(JSON.parse(text));
    if (state.origin !== origin) throw new Error(`it is about the log ${state.origin}, not ${origin}`);
    return state;
  } catch (cause) {
    throw new CommandError(`reading the state ${path}: ${errorLine(cause)}; give another file to --state, or delete it to begin anew`, {
      cause,
    });
  }
}

export async function saveCheckState(path: string, { origin, size, root, published }: CheckState): Promise<void> {
  const state = {
    format: "https://quorate.dev/log-check/v1",
    origin,
    size,
    root: formatHash(root),
    published: [...new Set(published)].toSorted((a, b) => a - b).slice(-publishedKept),
  };
  await saveFile(path, `${JSON.stringify(state)}\n`);
}
