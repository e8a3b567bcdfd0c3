/** A number for people, such as `83 334`: digits in groups, whatever the reader's language. */
export function grouped(number: number): string {
  return String(number).replaceAll(/(?<=\d)(?=(?:\d{3})+$)/g, "\u202f");
}
