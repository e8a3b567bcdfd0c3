/** What a file of a host is found to be, and how much that matters. */
export const fileClasses = {
  /** Exactly as the quorum's manifest has it. */
  verified: "expected",
  /** A conffile that was edited or removed: that is what conffiles are for. */
  "locally-configured": "expected",
  /** Left out on purpose: a path-exclude of dpkg. */
  excluded: "expected",
  /** Owner or mode are those of a statoverride. */
  overridden: "expected",
  /** Not in a package, and made from what is: a link of update-alternatives, byte code, a cache. Its content is not verified. */
  generated: "expected",
  /** In /etc and in no package. */
  "local-configuration": "expected",
  missing: "drift",
  "mode-changed": "drift",
  "owner-changed": "drift",
  /** Below /usr/local, which packages leave to the administrator. */
  "local-program": "drift",
  /** Other bytes than the manifest's. */
  modified: "tampering",
  /** Something of another kind, or a link to elsewhere. */
  replaced: "tampering",
  /** A set-user-id or set-group-id bit that is in no manifest. */
  "setuid-added": "tampering",
  /** Everybody may write to it. */
  "write-allowed": "tampering",
  /** In a directory that programs and libraries are loaded from, and in no package. */
  unowned: "tampering",
  /** dpkg's own record of a package is not what the package holds. */
  "database-modified": "tampering",
  unreadable: "unseen",
  "changed-while-read": "unseen",
} as const satisfies Record<string, Severity>;

export type Severity = "expected" | "drift" | "tampering" | "unseen";
export type FileClass = keyof typeof fileClasses;

export type Finding = {
  readonly class: FileClass;
  /** Where it is, symbolic links above it resolved. */
  readonly path: string;
  readonly package?: string;
  readonly reason?: string;
};
