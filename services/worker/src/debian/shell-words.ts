/**
 * One word of a POSIX shell command (XCU §2.2.2), whatever it holds: `it's` becomes `'it'\''s'`.
 *
 * @throws TypeError for a line feed or NUL, because commands travel one per line
 */
export function formatShellWord(word: string): string {
  if (/[\n\0]/.test(word)) throw new TypeError(`a command's word must be one line: ${JSON.stringify(word)}`);
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

export function formatShellCommand(words: readonly string[]): string {
  return words.map(formatShellWord).join(" ");
}
