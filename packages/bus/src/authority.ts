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
  readonly system: { readonly publicKey: string; readonly jwt: string };
  readonly account: { readonly publicKey: string; readonly jwt: string };
  /** Signs user credentials; the account names it as a signing key. */
  readonly userSigner: KeyPair;
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
    accountJwt: await encodeAccount(
      "NETWORK",
      account,
      {
        signing_keys: [accountSigning.getPublicKey()],
        limits: {
          ...accountLimits,
          wildcards: true,
          mem_storage: gibibyte / 4,
          disk_storage: 8 * gibibyte,
          streams: 10,
          consumer: unlimited,
        },
      },
      { signer: operator },
    ),
  };
  await writeSecret(path, `${JSON.stringify(stored, null, 2)}\n`);
  return authorityOf(stored);
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
  const publicKeyOf = (seed: string): string => fromSeed(utf8(seed)).getPublicKey();
  return {
    operatorJwt: stored.operatorJwt,
    system: { publicKey: publicKeyOf(stored.systemSeed), jwt: stored.systemJwt },
    account: { publicKey: publicKeyOf(stored.accountSeed), jwt: stored.accountJwt },
    userSigner: fromSeed(utf8(stored.accountSigningSeed)),
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
