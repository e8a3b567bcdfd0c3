import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { architectureSchema, hostnameSchema, lineSchema } from "@quorate/protocol/names";
import {
  type Enrolment,
  type OperatorId,
  type Rotation,
  groupsSchema,
  operatorIdSchema,
  publicKeySchema,
} from "@quorate/protocol/operator";
import { formatBase64 } from "@quorate/tlog/base64";
import { z } from "zod";
import { createKeyFile } from "./key-file.ts";
import { type LinkSigner, createLinkKey, loadLinkKey } from "./link-key.ts";
import { createKeylessSigner } from "./keyless-signer.ts";
import { type OperatorSigner, operatorSignerOf } from "./operator-signer.ts";
import { type P256Signer, createP256Key, loadP256Key } from "./p256-key.ts";

/** Whom an OpenID Connect issuer knows the operator as, and the services that it signs with. */
const keylessSchema = z.strictObject({
  issuer: z.url(),
  subject: lineSchema(400),
  fulcioUrl: z.url(),
  timestampUrl: z.url(),
  /** File with a token of the issuer for the audience `sigstore`, which something else keeps fresh. */
  tokenFile: z.string().min(1).max(4096),
});
export type KeylessProfile = z.infer<typeof keylessSchema>;

/** What an operator says of itself; `operator.json` in its directory. */
export const operatorProfileSchema = z.strictObject({
  format: z.literal("https://quorate.dev/operator-directory/v1"),
  operator: operatorIdSchema,
  /** The identity key that the operator's id is of, or its keyless identity. */
  firstKey: publicKeySchema,
  /** Of an operator without an identity key: who vouches for it, and where it signs. */
  keyless: keylessSchema.optional(),
  name: lineSchema(80),
  contact: lineSchema(200).optional(),
  groups: groupsSchema,
  architectures: z.array(architectureSchema).min(1).max(20),
  hostname: hostnameSchema.optional(),
  witnessVkey: lineSchema(500).optional(),
});
export type OperatorProfile = z.infer<typeof operatorProfileSchema>;

/** An operator's keys, which never leave its own machines, and what it says of itself. */
export type OperatorIdentity = {
  readonly profile: OperatorProfile;
  /** `operator` is the operator's id, whichever key signs. */
  readonly signer: OperatorSigner;
  readonly linkSigner: LinkSigner;
};

const paths = {
  profile: (directory: string) => join(directory, "operator.json"),
  identity: (directory: string) => join(directory, "identity.pem"),
  link: (directory: string) => join(directory, "link.pem"),
  network: (directory: string) => join(directory, "network.json"),
  nextIdentity: (directory: string) => join(directory, "identity.next.pem"),
};

/** The network that an operator has joined, with its key as it was then; `network.json` in its directory. */
const joinedNetworkSchema = z.strictObject({ url: z.url(), networkKey: publicKeySchema });
export type JoinedNetwork = z.infer<typeof joinedNetworkSchema>;

export function isOperatorDirectory(directory: string): boolean {
  return existsSync(paths.profile(directory));
}

/**
 * Makes an operator: new keys, but for a keyless one's identity, and its profile. The profile is written last: without it there is no operator yet.
 *
 * @throws Error when the directory holds an operator or keys already
 */
export function createOperatorDirectory(
  directory: string,
  profile: Omit<OperatorProfile, "format" | "operator" | "firstKey">,
  passphrase?: string,
): OperatorIdentity {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  // Before there is anything: a key without a profile is in nobody's way for ever.
  const format = "https://quorate.dev/operator-directory/v1";
  const { error } = operatorProfileSchema.omit({ operator: true, firstKey: true }).safeParse({ format, ...profile });
  const [issue] = error?.issues ?? [];
  if (issue) throw new Error(`making an operator: ${issue.path.at(-1)?.toString() ?? "it"} ${issue.message}`);
  const { operator, identity } = profile.keyless
    ? keylessSignerOf(profile.keyless)
    : operatorSignerOf(createP256Key(paths.identity(directory), passphrase));
  createLinkKey(paths.link(directory), passphrase);
  const whole: OperatorProfile = { format, operator, firstKey: formatBase64(identity), ...profile };
  createKeyFile("the operator's profile", paths.profile(directory), `${JSON.stringify(whole, null, 2)}\n`);
  return loadOperatorDirectory(directory, passphrase);
}

/** @throws Error that names the file that is wrong */
export function loadOperatorDirectory(directory: string, passphrase?: string): OperatorIdentity {
  const profile = loadOperatorProfile(directory);
  const { keyless } = profile;
  const signer = keyless ? keylessSignerOf(keyless) : operatorSignerOf(loadP256Key(paths.identity(directory), passphrase));
  return {
    profile,
    signer: { ...signer, operator: profile.operator },
    linkSigner: loadLinkKey(paths.link(directory), passphrase),
  };
}

/** What can be read without the passphrase. @throws Error when there is no operator in the directory, or its profile is damaged */
export function loadOperatorProfile(directory: string): OperatorProfile {
  const path = paths.profile(directory);
  try {
    return operatorProfileSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (cause) {
    const hint = existsSync(path) ? "restore it from your backup" : "make one with: quorate operator init";
    throw new Error(`loading the operator in ${directory}: there is no readable ${path}; ${hint}`, { cause });
  }
}

/** `undefined` for an operator that has not joined any. @throws Error when the file is damaged */
export function loadJoinedNetwork(directory: string): JoinedNetwork | undefined {
  const path = paths.network(directory);
  if (!existsSync(path)) return undefined;
  try {
    return joinedNetworkSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (cause) {
    throw new Error(`loading ${path}: it is damaged; delete it and run \`quorate operator enrol\` again`, { cause });
  }
}

export function saveJoinedNetwork(directory: string, network: JoinedNetwork): void {
  const path = paths.network(directory);
  const temporary = `${path}.tmp`;
  writeFileSync(temporary, `${JSON.stringify(network, null, 2)}\n`, { mode: 0o600, flush: true });
  renameSync(temporary, path);
}

/**
 * The key that the operator changes to: made now, or left by a change that was interrupted.
 *
 * @returns a signer, and what puts the key in the place of the old one, which is kept under another name
 */
export function openNextIdentity(directory: string, passphrase?: string): { signer: P256Signer; replace(): string } {
  const next = paths.nextIdentity(directory);
  const signer = existsSync(next) ? loadP256Key(next, passphrase) : createP256Key(next, passphrase);
  return {
    signer,
    replace() {
      const present = paths.identity(directory);
      const retired = join(directory, `identity.before-${signer.operator}.pem`);
      if (!existsSync(retired)) linkSync(present, retired);
      // At no moment is there no key.
      renameSync(next, present);
      return retired;
    },
  };
}

export function enrolmentOf({ profile, signer, linkSigner }: OperatorIdentity): Enrolment {
  const { format: _format, firstKey: _firstKey, keyless: _keyless, ...said } = profile;
  return {
    action: "enrol",
    ...said,
    identityKey: formatBase64(signer.identity),
    linkKey: formatBase64(linkSigner.publicKey),
    ecosystems: ["debian"],
  };
}

export function rotationOf(operator: OperatorId, next: Pick<P256Signer, "spki">): Rotation {
  return { action: "rotate", operator, identityKey: formatBase64(next.spki) };
}

function keylessSignerOf({ tokenFile, ...keyless }: KeylessProfile): OperatorSigner {
  return createKeylessSigner({ ...keyless, getToken: async () => (await readFile(tokenFile, "utf8")).trim() });
}
