/** What the file system refused, in words that say what to do; undefined for an error of another kind. */
export function diskTrouble(error: unknown): string | undefined {
  switch (error instanceof Error && "code" in error ? error.code : undefined) {
    case "ENOSPC":
      return "no space is left on its file system; make room there, or configure another directory";
    case "EDQUOT":
      return "the disk quota of this user is used up; make room, or configure another directory";
    case "EROFS":
      return "its file system is read-only; configure another directory";
    case "EACCES":
    case "EPERM":
      return "this user may not write there; change its owner, or configure another directory";
    case "ENOTDIR":
    case "EEXIST":
      return "a file is in the way, where a directory is needed; configure another directory";
    case "ENOENT":
      return "no directory can be made there; configure another directory";
    default:
      return undefined;
  }
}
