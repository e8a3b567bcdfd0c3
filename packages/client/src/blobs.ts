import { createHash } from "node:crypto";
import { openAsBlob } from "node:fs";
import type { Sha256 } from "@quorate/protocol/digest";
import { ApiError, ConnectionError, request } from "./http.ts";

export type BlobStoreOptions = { url: string };

export type BlobContent = Uint8Array | { path: string };

export type BlobUpload = { sha256: Sha256; content: BlobContent; ticket: string; signal?: AbortSignal | undefined };

/** The coordinator's blobs: content named by its SHA-256. */
export interface Blobs {
  /** @throws ConnectionError when what arrives does not have the digest */
  get(sha256: Sha256, options?: { maxBytes?: number; signal?: AbortSignal | undefined }): Promise<Uint8Array>;
  has(sha256: Sha256, signal?: AbortSignal): Promise<boolean>;
  /** Uploads unless the coordinator has it already. May be repeated. */
  put(upload: BlobUpload): Promise<void>;
}

const transferSeconds = 600;
const defaultMaxBytes = 256 * 2 ** 20;

export function createBlobs({ url }: BlobStoreOptions): Blobs {
  const addressOf = (sha256: Sha256): string => `${url}/v1/blobs/sha256/${sha256}`;
  const has: Blobs["has"] = async (sha256, signal) => {
    try {
      await request({ doing: `asking for blob ${sha256}`, url: addressOf(sha256), method: "HEAD", signal });
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return false;
      throw error;
    }
  };
  return {
    has,
    async get(sha256, { maxBytes = defaultMaxBytes, signal } = {}) {
      const doing = `fetching blob ${sha256}`;
      const { bytes } = await request({ doing, url: addressOf(sha256), maxBytes, signal, deadlineSeconds: transferSeconds });
      const actual = createHash("sha256").update(bytes).digest("hex");
      if (actual !== sha256) throw new ConnectionError(doing, `digest differs: the content that came has ${actual}`);
      return bytes;
    },
    async put({ sha256, content, ticket, signal }) {
      if (await has(sha256, signal)) return;
      await request({
        doing: `uploading blob ${sha256}`,
        url: addressOf(sha256),
        method: "PUT",
        headers: { "content-type": "application/octet-stream" },
        token: ticket,
        body: content instanceof Uint8Array ? new Uint8Array(content) : await openAsBlob(content.path),
        signal,
        deadlineSeconds: transferSeconds,
      });
    },
  };
}
