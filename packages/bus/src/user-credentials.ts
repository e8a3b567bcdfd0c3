import { encodeUser } from "@nats-io/jwt";
import { createUser, fromPublic, fromSeed } from "@nats-io/nkeys";
import type { OperatorId } from "@quorate/protocol/operator";
import { textOf, utf8 } from "@quorate/protocol/utf8";
import type { Authority } from "./authority.ts";
import { controlSubject, inboxPrefix, reportSubject, subjects } from "./subjects.ts";

/** What a client needs to connect: a JWT for a user key, and the seed of that key. */
export type NatsCredentials = { readonly jwt: string; readonly seed: string };

/** A NATS user key. Its seed never leaves the machine that made it; only the public key is sent for enrolment. */
export type NatsUserKey = { readonly publicKey: string; readonly seed: string };

export function createUserKey(): NatsUserKey {
  const key = createUser();
  return { publicKey: key.getPublicKey(), seed: textOf(key.getSeed()) };
}

/** @throws Error unless `seed` is the seed of a NATS user key */
export function loadUserKey(seed: string): NatsUserKey {
  const publicKey = fromSeed(utf8(seed)).getPublicKey();
  if (!publicKey.startsWith("U")) throw new Error("loading the NATS user key: the seed belongs to another kind of key");
  return { publicKey, seed };
}

/** Credentials of the coordinator, valid for this process: full rights inside the network's account, none on the server. */
export async function mintCoordinator(authority: Authority): Promise<NatsCredentials> {
  const key = createUserKey();
  const jwt = await encodeUser("coordinator", fromPublic(key.publicKey), authority.userSigner, {
    issuer_account: authority.account.publicKey,
  });
  return { jwt, seed: key.seed };
}

/** Credentials for the server's own account, in which accounts are changed; valid for a minute. */
export async function mintSystemUser(authority: Authority): Promise<NatsCredentials> {
  const key = createUserKey();
  const exp = Math.floor(Date.now() / 1000) + 60;
  const jwt = await encodeUser("coordinator", fromPublic(key.publicKey), authority.system.userSigner, {}, { exp });
  return { jwt, seed: key.seed };
}

/**
 * A JWT that lets a worker of one operator do its part and nothing else: pull and acknowledge on its own consumer, publish its own
 * reports and live messages, hear its own control subject and inbox. No server restart is needed, neither now nor when it expires.
 */
export async function mintUser(options: {
  authority: Authority;
  operator: OperatorId;
  /** The worker's public user key (`U…`). */
  userKey: string;
  expiresAt: Date;
}): Promise<string> {
  const { authority, operator } = options;
  const permissions = {
    pub: { allow: operatorMayPublish(operator), deny: [] },
    sub: { allow: [controlSubject(operator), `${inboxPrefix(operator)}.>`], deny: [] },
  };
  return await encodeUser(
    `operator-${operator}`,
    fromPublic(options.userKey),
    authority.userSigner,
    {
      issuer_account: authority.account.publicKey,
      ...permissions,
      subs: 20,
      payload: Math.max(subjects.report.maxBytes, subjects.live.maxBytes),
      data: -1,
    },
    { exp: Math.floor(options.expiresAt.getTime() / 1000) },
  );
}

const operatorMayPublish = (operator: OperatorId): string[] => [
  reportSubject(operator),
  `live.${operator}.>`,
  `$JS.API.CONSUMER.INFO.JOBS.${operator}`,
  `$JS.API.CONSUMER.MSG.NEXT.JOBS.${operator}`,
  `$JS.ACK.JOBS.${operator}.>`,
];
