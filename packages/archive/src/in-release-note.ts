import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Sha256, sha256Of, sha256Schema } from "@quorate/protocol/digest";
import { timeSchema } from "@quorate/protocol/names";
import { utf8 } from "@quorate/protocol/utf8";
import { z } from "zod";
import { writeDurably } from "./file-store.ts";

const noteSchema = z.strictObject({
  inRelease: sha256Schema,
  date: timeSchema,
  validators: z.strictObject({ etag: z.string().optional(), lastModified: z.string().optional() }),
});

/** What is remembered between runs about a suite's InRelease: which one was accepted last, and how to ask whether it changed. */
export type InReleaseNote = z.infer<typeof noteSchema> & { readonly inRelease: Sha256 };

export type InReleaseNotes = {
  load(suite: string): Promise<InReleaseNote | undefined>;
  save(suite: string, note: InReleaseNote): Promise<void>;
};

/** The notes of one archive, by its URL. */
export async function openInReleaseNotes(cacheDirectory: string, archiveUrl: string): Promise<InReleaseNotes> {
  const directory = join(cacheDirectory, "suites", sha256Of(utf8(archiveUrl)).slice(0, 16));
  await mkdir(directory, { recursive: true });
  const pathOf = (suite: string) => join(directory, `${suite}.json`);
  return {
    load: async (suite) => {
      const text = await readFile(pathOf(suite), "utf8").catch(() => undefined);
      return text === undefined ? undefined : parseNote(text);
    },
    save: async (suite, note) => await writeDurably(pathOf(suite), Buffer.from(JSON.stringify(note))),
  };
}

/** A note that cannot be read is as good as none: everything it says can be fetched again. */
function parseNote(text: string): InReleaseNote | undefined {
  try {
    return noteSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
