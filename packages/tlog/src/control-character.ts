/** Whether a text holds a character below U+0020 other than the newline; notes and policies forbid them, but no others. */
export function hasControlCharacter(text: string): boolean {
  // Of the category Cc, all but newline and U+007F to U+009F.
  return /[^\P{Cc}\n\x7f-\x9f]/u.test(text);
}
