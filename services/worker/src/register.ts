import { pause } from "@quorate/bus/backoff";
import type { Api } from "@quorate/client/api";
import { ApiError } from "@quorate/client/http";
import type { Sha256 } from "@quorate/protocol/digest";
import { formatTime } from "@quorate/protocol/names";
import { textOf } from "@quorate/protocol/utf8";
import type { Capabilities, WorkerCredentials } from "@quorate/protocol/worker";
import { NotPermittedError } from "@quorate/service/run";
import { signWorkerStatement } from "@quorate/signing/envelope";
import type { OperatorSigner } from "@quorate/signing/operator-signer";
import type { WorkerEvents } from "./events.ts";
import { retryRequest } from "./retry-request.ts";

export type RegisterOptions = {
  api: Pick<Api, "registerWorker" | "operator">;
  signer: OperatorSigner;
  /** Digest of the network key as it was when the operator joined. */
  network: Sha256;
  /** Public NATS user key of this worker. */
  worker: string;
  name: string;
  capabilities: Capabilities;
  events: WorkerEvents;
  signal: AbortSignal;
};

/**
 * Registers this worker with its operator's signature and gets transport credentials. Waits for a coordinator that is away, and for the
 * network to admit the operator.
 *
 * @throws NotPermittedError when the network has ended this worker or its operator, or has refused the operator
 * @throws ApiError when the coordinator refuses for another reason; Error when it answers for another operator
 */
export async function register(options: RegisterOptions): Promise<WorkerCredentials> {
  const { signer, events, signal } = options;
  for (;;) {
    try {
      const credentials = await retryRequest("registering the worker", () => ask(options), { events, signal });
      if (credentials.operator !== signer.operator)
        throw new Error(`registering: the coordinator answered for operator ${credentials.operator}`);
      events.registered(credentials.operator, credentials.natsJwtExpiresAt);
      return credentials;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.isProblem("dismissed") || error.isProblem("revoked"))
        throw new NotPermittedError("the network takes this worker no more", { cause: error });
      if (error.status !== 404) throw error;
      await refuseUnlessPending(options, error);
      events.pending(signer.operator, admissionMilliseconds);
      await pause(admissionMilliseconds, signal);
    }
  }
}

/** How often a worker whose operator is not admitted yet asks again. */
const admissionMilliseconds = 10_000;

async function ask({ api, signer, network, worker, name, capabilities, signal }: RegisterOptions): Promise<WorkerCredentials> {
  const saidAt = formatTime(new Date());
  const statement = { action: "register" as const, operator: signer.operator, worker, network, saidAt, name, capabilities };
  return api.registerWorker(textOf(await signWorkerStatement(statement, signer)), { signal });
}

async function refuseUnlessPending({ api, signer, events, signal }: RegisterOptions, cause: ApiError): Promise<void> {
  const view = await retryRequest("reading the operator's state", () => api.operator(signer.operator, { signal }), {
    events,
    signal,
  }).catch((error: unknown) => {
    throw error instanceof ApiError && error.status === 404 ? cause : error;
  });
  if (view.state === "refused")
    throw new NotPermittedError(`registering: the network has refused operator ${signer.operator}: ${view.reason ?? "no reason"}`);
}

/** After the transport has refused credentials that were just given, it is not asked for others in a rush. */
const refusedMilliseconds = 1_000;

/** Registers again each time that half of the credentials' life is over or the transport refuses them, and hands the new ones on, until aborted. */
export async function keepRegistered(
  options: RegisterOptions,
  first: WorkerCredentials,
  { renewed, untilRefused }: { renewed: (jwt: string) => void; untilRefused: (signal: AbortSignal) => Promise<void> },
): Promise<void> {
  const { events, signal } = options;
  let credentials = first;
  while (!signal.aborted) {
    const woken = new AbortController();
    const ending = AbortSignal.any([signal, woken.signal]);
    const untilHalf = pause(renewalMilliseconds(credentials.natsJwtExpiresAt, Date.now()), ending).catch(() => undefined);
    const refused = untilRefused(ending).then(
      () => (events.credentialsRefused(), pause(refusedMilliseconds, ending).catch(() => undefined)),
      () => undefined,
    );
    await Promise.race([untilHalf, refused]);
    woken.abort();
    if (signal.aborted) return;
    credentials = await register(options);
    renewed(credentials.natsJwt);
  }
}

/** Half of what is left, between 10 seconds and a day: long before the end, and not too often after a refusal. */
export function renewalMilliseconds(expiresAt: string, now: number): number {
  return Math.min(Math.max((Date.parse(expiresAt) - now) / 2, 10_000), 24 * 3600 * 1000);
}
