import { existsSync } from "node:fs";
import { hostname } from "node:os";
import { formatEnvelope, pae } from "@quorate/attestation/dsse";
import { escapePath } from "@quorate/attestation/path-text";
import { formatRuntime } from "@quorate/attestation/runtime-statement";
import { request, requestJson } from "@quorate/client/http";
import { unseenAtRuntime } from "@quorate/host/runtime/runtime-class";
import { runtimeStateOf } from "@quorate/host/runtime/runtime-state";
import { sha256FromHash } from "@quorate/tlog/hash";
import { hostIdOf } from "@quorate/protocol/host";
import { formatTime } from "@quorate/protocol/names";
import { type ReportPlace, reportPlaceSchema } from "@quorate/protocol/report-place";
import { type P256Signer, createP256Key, loadP256Key } from "@quorate/signing/p256-key";
import { escapeForLine } from "../escape-for-line.ts";
import { type RuntimeReport, countRuntimeClasses, loudFindings } from "../runtime-report.ts";
import type { HostEvidence } from "./host-evidence.ts";
import type { WatchedHost } from "./watched-host.ts";

/** A host that found the same again says so once a minute: silence means that something is wrong. */
export const heartbeatSeconds = 60;
const deadlineSeconds = 10;
const maxFindings = 100;
const maxAnswerBytes = 10_000;

/** Sends signed reports of one host to its fleet, one after the other, while the host is watched. */
export class FleetReporter implements AsyncDisposable {
  readonly name = hostname();
  readonly #url: string;
  readonly #signer: P256Signer;
  readonly #host: Pick<WatchedHost, "gatherEvidence">;
  readonly #onError: (error: unknown) => void;
  #sent: { readonly state: string; readonly at: number } | undefined;
  #sending: Promise<void> | undefined;

  /**
   * @param key a file with the host's private key, which is made when there is none
   * @param onError told when the fleet cannot be reached or does not take a report
   */
  constructor(
    url: string,
    key: string,
    { host, onError }: { host: Pick<WatchedHost, "gatherEvidence">; onError: (error: unknown) => void },
  ) {
    this.#host = host;
    this.#onError = onError;
    this.#signer = existsSync(key) ? loadP256Key(key) : createP256Key(key);
    this.#url = `${url.replace(/\/+$/, "")}/v1/hosts/${hostIdOf(this.#signer.spki)}`;
  }

  /** What enrols the host: a line of the fleet's hosts file. */
  get enrolment(): string {
    return `host ${this.name} ${Buffer.from(this.#signer.spki).toString("base64")}`;
  }

  /** Has what has changed sent, and a heartbeat. While a report is on its way there is no other: a later one has the change. */
  report(report: RuntimeReport): void {
    if (this.#sending !== undefined) return;
    const state = `${report.outcome} ${runtimeStateOf(report.sweep.findings)}`;
    const isDue = this.#sent === undefined || performance.now() - this.#sent.at >= heartbeatSeconds * 1000;
    if (!isDue && this.#sent?.state === state) return;
    this.#sending = this.#send(report)
      .then(() => void (this.#sent = { state, at: performance.now() }), this.#onError)
      .finally(() => void (this.#sending = undefined));
  }

  /** Waits for the report that is on its way. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sending;
  }

  /** Signs and sends one report, under the challenge that the fleet gives. */
  async #send(report: RuntimeReport): Promise<void> {
    const challenge = await requestJson(
      { doing: "asking the fleet for a challenge", url: `${this.#url}/challenge`, deadlineSeconds, maxBytes: maxAnswerBytes },
      reportPlaceSchema,
    );
    const payload = this.#payload(report, challenge, await this.#host.gatherEvidence(report.sweep));
    const envelope = formatEnvelope({ payload, signatures: [this.#signer.sign(pae(payload))] });
    const headers = { "content-type": "application/vnd.dsse+json" };
    const body = new Uint8Array(envelope);
    const doing = "reporting to the fleet";
    await request({ doing, url: `${this.#url}/reports`, method: "POST", headers, body, deadlineSeconds, maxBytes: maxAnswerBytes });
  }

  #payload({ sweep, outcome, snapshot }: RuntimeReport, challenge: ReportPlace, { ima, verity, lacks }: HostEvidence): Uint8Array {
    const { checkpoint, policySha256 } = snapshot;
    return formatRuntime(this.name, runtimeStateOf(sweep.findings), {
      outcome,
      sweptAt: formatTime(new Date()),
      ...challenge,
      processes: sweep.processes,
      counts: Object.fromEntries(countRuntimeClasses(sweep.findings)),
      findings: loudFindings(sweep)
        .slice(0, maxFindings)
        .map(({ class: found, path, pids, package: owner, reason }) => ({
          class: found,
          path: escapePath(path).slice(0, 4000),
          processes: pids.length,
          ...(owner === undefined ? {} : { package: owner }),
          ...(reason === undefined ? {} : { reason: escapeForLine(reason).slice(0, 500) }),
        })),
      unseen: unseenAtRuntime,
      checkpoint: {
        origin: checkpoint.origin,
        size: checkpoint.size,
        rootSha256: sha256FromHash(checkpoint.root),
      },
      policy: policySha256,
      evidence: "software-only",
      ...(ima && { ima }),
      ...(verity && { verity }),
      lacks: [...lacks],
    });
  }
}
