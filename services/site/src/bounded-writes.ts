import type { ServerResponse } from "node:http";

export type UnreadLimits = {
  /** What one reader may leave unread, in bytes, that which is to be sent to it among them. */
  readonly unreadBytes: number;
  /** What all readers together may. */
  readonly allUnreadBytes: number;
};

/** Why a stream was ended: its reader left too much unread, or all together did, and this one more than others. */
export type DropReason = "slow" | "memory";

export type BoundedWrites = {
  /** Sends it, or ends the stream whose reader has not read enough of what came before. */
  write(stream: ServerResponse, bytes: Buffer): void;
  /** For streams that have closed. */
  forget(stream: ServerResponse): void;
};

/** Writes to streams whose readers may be slow, so that what waits for them in memory is bounded for each and for all. */
export function createBoundedWrites(limits: UnreadLimits, onDropped: (reason: DropReason) => void): BoundedWrites {
  /** As it was after the last write: what has been read since is found when the bytes of all are counted. */
  const unread = new Map<ServerResponse, number>();
  let allUnread = 0;
  const count = (stream: ServerResponse, bytes: number) => {
    allUnread += bytes - (unread.get(stream) ?? 0);
    unread.set(stream, bytes);
  };
  const forget = (stream: ServerResponse) => {
    count(stream, 0);
    unread.delete(stream);
  };
  const drop = (stream: ServerResponse, reason: DropReason) => {
    forget(stream);
    onDropped(reason);
    stream.destroy();
  };
  /** Ends the slowest until half of what is allowed is free, so that they are not looked for again at the next write. */
  const makeRoom = () => {
    for (const stream of unread.keys()) count(stream, stream.writableLength);
    if (allUnread <= limits.allUnreadBytes) return;
    for (const [stream] of [...unread].toSorted(([, a], [, b]) => b - a)) {
      if (allUnread <= limits.allUnreadBytes / 2) return;
      drop(stream, "memory");
    }
  };
  return {
    write(stream, bytes) {
      if (stream.destroyed) return;
      if (stream.writableLength + bytes.length > limits.unreadBytes) return drop(stream, "slow");
      stream.write(bytes);
      // Node keeps what is written until the next tick; only what the system does not take now waits for its reader.
      stream.socket?.uncork();
      count(stream, stream.writableLength);
      if (allUnread > limits.allUnreadBytes) makeRoom();
    },
    forget,
  };
}
