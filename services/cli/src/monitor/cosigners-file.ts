import { readFile } from "node:fs/promises";
import { z } from "zod";
import { CommandError, errorLine } from "../command-error.ts";
import { saveFile } from "../own-files.ts";
import { type Cosigners, checkpointsUntilLagging } from "./cosigners.ts";

const format = "https://quorate.dev/monitored-witnesses/v1";
const maxWitnesses = 1024;

const cosignersSchema = z.strictObject({
  format: z.literal(format),
  sizes: z.array(z.int().min(0)).max(checkpointsUntilLagging),
  witnesses: z.array(z.strictObject({ name: z.string().min(1), size: z.int().min(0), time: z.int().min(0) })).max(maxWitnesses),
});

/** What an earlier look left; nothing is known when there was none. @throws CommandError for a file that was damaged */
export async function loadCosigners(path: string): Promise<Cosigners> {
  try {
    const { sizes, witnesses } = cosignersSchema.parse(JSON.parse(await readFile(path, "utf8")));
    return { sizes, witnesses: new Map(witnesses.map(({ name, size, time }) => [name, { size, time }])) };
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return { sizes: [], witnesses: new Map() };
    throw new CommandError(
      `reading what is known of the witnesses from ${path}: ${errorLine(cause)}; delete it to learn anew who cosigns: checkpoints and evidence are in other files`,
      { cause },
    );
  }
}

export async function saveCosigners(path: string, { sizes, witnesses }: Cosigners): Promise<void> {
  const listed = Array.from(witnesses, ([name, { size, time }]) => ({ name, size, time }));
  await saveFile(path, `${JSON.stringify({ format, sizes, witnesses: listed })}\n`);
}
