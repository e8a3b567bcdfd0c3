import { encodeAccount, encodeOperator } from "@nats-io/jwt";
import { createAccount, createOperator, fromSeed, type KeyPair } from "@nats-io/nkeys";
import { ParseError } from "@quorate/protocol/parse-error";
import { textOf, utf8 } from "@quorate/protocol/utf8";
import { open, readFile } from "node:fs/promises";
import { z } from "zod";

const seedSchema = z.string().regex(/^S[OA][A-Z2-7]{56}$/, "must be an operator or account seed");

const authorityFileSchema = z.strictObject({
  format: z.literal("https://quorate.dev/nats-authority/v1"),
  operatorSeed: seedSchema,
  systemSeed: seedSchema,
  accountSeed: seedSchema,
  accountSigningSeed: seedSchema,
  operatorJwt: z.string().max(5000),
  systemJwt: z.string().max(5000),
  accountJwt: z.string().max(20_000),
});

/** Who may decide who connects to the network's NATS: the operator key and its two accounts. Transport only: it can sign no statement. */
export type Authority = {
  readonly operatorJwt: string;
  readonly system: { readonly publicKey: string; readonly jwt: string; readonly userSigner: KeyPair };
  readonly account: { readonly publicKey: string; readonly jwt: string };
  /** Signs user credentials; the account names it as a signing key. */
  readonly userSigner: KeyPair;
  /** The account as it is with these users revoked: each by its public key, with the time until which its credentials were issued. */
  accountJwtWith(revoked: ReadonlyMap<string, Date>): Promise<string>;
};

const gibibyte = 2 ** 30;
const unlimited = -1;
const accountLimits = {
  conn: unlimited,
  subs: unlimited,
  data: unlimited,
  payload: unlimited,
  imports: unlimited,
  exports: unlimited,
  leaf: 0,
};

/**
 * Makes the keys and JWTs of a network's NATS and stores them in one file that only its owner can read.
 *
 * @throws Error when the file exists already
 */
export async function createAuthority(path: string): Promise<Authority> {
  const [operator, system, account, accountSigning] = [createOperator(), createAccount(), createAccount(), createAccount()];
  const stored = {
    format: "https://quorate.dev/nats-authority/v1" as const,
    operatorSeed: seedOf(operator),
    systemSeed: seedOf(system),
    accountSeed: seedOf(account),
    accountSigningSeed: seedOf(accountSigning),
    operatorJwt: await encodeOperator("quorate", operator, { system_account: system.getPublicKey() }),
    systemJwt: await encodeAccount("SYS", system, { limits: { ...accountLimits, wildcards: true } }, { signer: operator }),
    accountJwt: await encodeNetworkAccount({ operator, account, signingKey: accountSigning.getPublicKey(), revoked: new Map() }),
  };
  await writeSecret(path, `${JSON.stringify(stored, null, 2)}\n`);
  return authorityOf(stored);
}

type NetworkAccount = { operator: KeyPair; account: KeyPair; signingKey: string; revoked: ReadonlyMap<string, Date> };

function encodeNetworkAccount({ operator, account, signingKey, revoked }: NetworkAccount): Promise<string> {
  const limits = {
    ...accountLimits,
    wildcards: true,
    mem_storage: gibibyte / 4,
    disk_storage: 8 * gibibyte,
    streams: 10,
    consumer: unlimited,
  };
  const revocations = Object.fromEntries([...revoked].map(([user, until]) => [user, Math.floor(until.getTime() / 1000)]));
  return encodeAccount("NETWORK", account, { signing_keys: [signingKey], limits, revocations }, { signer: operator });
}

/** @throws ParseError when the file is not an authority file; an Error that names the file when it cannot be read */
export async function loadAuthority(path: string): Promise<Authority> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new Error(`reading the NATS authority file ${path} failed; create it first`, { cause });
  });
  return parseAuthority(text);
}

/** @throws ParseError when `text` is not what `createAuthority` writes */
export function parseAuthority(text: string): Authority {
  try {
    return authorityOf(authorityFileSchema.parse(JSON.parse(text)));
  } catch (cause) {
    // The text holds secrets: the error must not quote it.
    throw new ParseError("NATS authority file", "(not shown)", { cause });
  }
}

function authorityOf(stored: z.infer<typeof authorityFileSchema>): Authority {
  const keyOf = (seed: string): KeyPair => fromSeed(utf8(seed));
  const [operator, system, account] = [keyOf(stored.operatorSeed), keyOf(stored.systemSeed), keyOf(stored.accountSeed)];
  const userSigner = keyOf(stored.accountSigningSeed);
  return {
    operatorJwt: stored.operatorJwt,
    system: { publicKey: system.getPublicKey(), jwt: stored.systemJwt, userSigner: system },
    account: { publicKey: account.getPublicKey(), jwt: stored.accountJwt },
    userSigner,
    accountJwtWith: (revoked) => encodeNetworkAccount({ operator, account, signingKey: userSigner.getPublicKey(), revoked }),
  };
}

const seedOf = (key: KeyPair): string => textOf(key.getSeed());

async function writeSecret(path: string, text: string): Promise<void> {
  const file = await open(path, "wx", 0o600).catch((cause: unknown) => {
    throw new Error(`creating the NATS authority file ${path} failed; it is never overwritten`, { cause });
  });
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}
