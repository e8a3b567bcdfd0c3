import type { MemberKind } from "@quorate/attestation/manifest";
import type { Sha256 } from "@quorate/protocol/digest";
import type { Hashing } from "./file-hasher.ts";

/** What is at a path; `unreadable` where this process may not look. */
export type TreeNode = {
  readonly kind: Exclude<MemberKind, "hardlink"> | "socket" | "unreadable";
  /** Permission bits, at most 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  /** Of a symbolic link. */
  readonly linkTarget?: string;
};

export type TreeEntry = { readonly name: string; readonly isDirectory: boolean };

export type FileDigest =
  | { readonly kind: "hashed"; readonly sha256: Sha256 }
  | { readonly kind: "unreadable"; readonly reason: string }
  /** It was written to while it was read. */
  | { readonly kind: "changed" };

/**
 * The files of a host, an image or an archive. Paths are as in a manifest: relative to the root, which is `.`, and as `decodePath` gives
 * them. No path is followed through a symbolic link: `Locator` says where one leads.
 */
export interface HostTree {
  node(path: string): TreeNode | undefined;
  /** What is in a directory; nothing of one that may not be read. */
  entries(directory: string): readonly TreeEntry[];
  /** A small file; `undefined` where there is none, or it may not be read. */
  read(path: string): Uint8Array | undefined;
  hash(paths: readonly string[], options: Hashing): Promise<ReadonlyMap<string, FileDigest>>;
}
