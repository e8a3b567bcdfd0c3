import { pause } from "@quorate/bus/backoff";
import type { Api } from "@quorate/client/api";
import type { Enrolment, Groups } from "@quorate/protocol/operator";
import type { EnrolmentAnswer } from "@quorate/protocol/submission";
import { textOf } from "@quorate/protocol/utf8";
import { signStatement } from "@quorate/signing/envelope";
import type { LinkSigner } from "@quorate/signing/link-key";
import type { P256Signer } from "@quorate/signing/p256-key";
import type { WorkerEvents } from "./events.ts";
import { retryRequest } from "./retry-request.ts";

export type EnrolOptions = {
  api: Pick<Api, "enrol">;
  signer: P256Signer;
  linkSigner: LinkSigner;
  name: string;
  /** Under which the network answers for this operator alone. */
  hostname?: string | undefined;
  groups: Groups;
  architectures: string[];
  /** Public NATS user key of this worker. */
  natsUserKey: string;
  events: WorkerEvents;
  signal: AbortSignal;
};

/**
 * Enrols the operator, or this worker of it once more, and gets transport credentials. Waits for a coordinator that is away.
 *
 * @throws Error when the coordinator refuses
 */
export async function enrol(options: EnrolOptions): Promise<EnrolmentAnswer> {
  const { api, signer, natsUserKey, events, signal } = options;
  const envelope = textOf(signStatement({ kind: "operator", predicate: enrolmentOf(options) }, [signer]));
  const ask = (): Promise<EnrolmentAnswer> => api.enrol({ envelope, natsUserKey }, { signal });
  const answer = await retryRequest("enrolling at the coordinator", ask, { events, signal });
  if (answer.operator !== signer.operator) throw new Error(`enrolling: the coordinator answered for operator ${answer.operator}`);
  events.enrolled(answer.operator, answer.natsJwtExpiresAt);
  return answer;
}

function enrolmentOf({ signer, linkSigner, name, hostname, groups, architectures }: EnrolOptions): Enrolment {
  return {
    action: "enrol",
    operator: signer.operator,
    name,
    identityKey: Buffer.from(signer.spki).toString("base64"),
    linkKey: Buffer.from(linkSigner.publicKey).toString("base64"),
    ...(hostname !== undefined && { hostname }),
    groups,
    architectures,
    ecosystems: ["debian"],
  };
}

/** Enrols again each time that half of the credentials' life is over, and hands the new ones on, until aborted. */
export async function keepEnrolled(options: EnrolOptions, first: EnrolmentAnswer, renewed: (jwt: string) => void): Promise<void> {
  const { events, signal } = options;
  let answer = first;
  while (!signal.aborted) {
    try {
      await pause(renewalMilliseconds(answer.natsJwtExpiresAt, Date.now()), signal);
      answer = await enrol(options);
      renewed(answer.natsJwt);
    } catch (error) {
      if (!signal.aborted)
        events.retrying("renewing the transport credentials", error, renewalMilliseconds(answer.natsJwtExpiresAt, Date.now()));
    }
  }
}

/** Half of what is left, between 10 seconds and a day: long before the end, and not too often after a refusal. */
export function renewalMilliseconds(expiresAt: string, now: number): number {
  return Math.min(Math.max((Date.parse(expiresAt) - now) / 2, 10_000), 24 * 3600 * 1000);
}

const architectureOf: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64", ia32: "i386", arm: "armhf", ppc64: "ppc64el" };

/** What this machine builds, in Debian's words: its own architecture, and packages that fit all. */
export function architecturesOf(processArchitecture: string): string[] {
  return [architectureOf[processArchitecture] ?? processArchitecture, "all"];
}
