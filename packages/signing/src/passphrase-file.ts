import { readFile } from "node:fs/promises";

const leastCharacters = 12;

/**
 * The passphrase of an operator's keys: the first line of a file.
 *
 * @throws Error that names the file when it cannot be read, or the passphrase is too short
 */
export async function loadPassphraseFile(path: string): Promise<string> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new Error(`reading the passphrase file ${path} failed`, { cause });
  });
  const [passphrase = ""] = text.split("\n");
  if (passphrase.length >= leastCharacters) return passphrase;
  throw new Error(
    `reading the passphrase file ${path}: its first line has ${passphrase.length} characters; use ${leastCharacters} or more`,
  );
}
