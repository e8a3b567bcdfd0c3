import { ParseError } from "@quorate/protocol/parse-error";
import { unreachable } from "@quorate/protocol/unreachable";
import type { HttpApp } from "@quorate/service/http-app";
import { ProblemError } from "@quorate/service/problem";
import { verifyNoteSignature } from "@quorate/signing/note-key";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { cosign } from "@quorate/tlog/cosignature";
import { formatNote, formatSignatureLines } from "@quorate/tlog/note";
import type { NoteSigner } from "@quorate/tlog/note";
import {
  formatTreeSize,
  maxAddCheckpointBytes,
  parseAddCheckpoint,
  treeSizeMediaType,
  witnessedCheckpointPath,
} from "@quorate/tlog/witness-request";
import type { FastifyReply } from "fastify";
import { decideCosignature } from "./decide-cosignature.ts";
import type { CosignatureDecision } from "./decide-cosignature.ts";
import type { WitnessEvents } from "./events.ts";
import type { KnownLogs } from "./known-logs.ts";
import type { WitnessStore } from "./witness-store.ts";

export type WitnessDependencies = {
  readonly store: WitnessStore;
  readonly signer: NoteSigner;
  readonly logs: KnownLogs;
  readonly events: WitnessEvents;
  /** Milliseconds since 1970. */
  readonly now: () => number;
};

/** `POST /add-checkpoint` and `GET /<SHA-256 of the origin>/checkpoint` (C2SP tlog-witness). */
export function addWitnessRoutes(app: HttpApp, dependencies: WitnessDependencies): void {
  const { logs, store } = dependencies;
  // The specification names no media type for the body, so each is taken for bytes.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer", bodyLimit: maxAddCheckpointBytes }, (_request, body, done) => done(null, body));
  app.post("/add-checkpoint", async (request, reply) => {
    if (!(request.body instanceof Uint8Array)) throw malformed("the body is empty");
    return answer(reply, dependencies, addCheckpoint(request.body, dependencies));
  });

  for (const origin of logs.keys()) {
    app.get(`/${witnessedCheckpointPath(origin)}`, async (_request, reply) => {
      const witnessed = store.find(origin);
      if (witnessed === undefined)
        throw new ProblemError(404, "nothing-witnessed", `this witness has cosigned no checkpoint of ${origin} yet`);
      return reply
        .type("text/plain; charset=utf-8")
        .header("cache-control", "no-cache")
        .header("access-control-allow-origin", "*")
        .send(witnessed.note);
    });
  }
}

type Answer = Exclude<CosignatureDecision, { kind: "cosign" }> | { readonly kind: "cosigned"; readonly lines: string };

/** From the look at the stored checkpoint to its replacement nothing is awaited, and the swap compares again. */
function addCheckpoint(body: Uint8Array, { store, signer, logs, events, now }: WitnessDependencies): Answer {
  const request = parsed(() => parseAddCheckpoint(body));
  const decision = parsed(() =>
    decideCosignature({ request, logs, stored: (origin) => store.find(origin), verify: verifyNoteSignature, hasher: nodeHasher }),
  );
  if (decision.kind === "inconsistent" || decision.kind === "other-root")
    events.inconsistent(decision.checkpoint, decision.reason, request.noteText);
  if (decision.kind !== "cosign") return decision;
  const { checkpoint, text, logSignatures } = decision;
  const cosignature = cosign({ text, time: Math.floor(now() / 1000), signer });
  const note = formatNote(text, [...logSignatures, cosignature]);
  const { origin, size, root } = checkpoint;
  if (!store.swap(origin, store.find(origin), { size, root, note })) return { kind: "other-old-size", size: store.find(origin)?.size ?? 0 };
  events.cosigned(checkpoint);
  return { kind: "cosigned", lines: formatSignatureLines([cosignature]) };
}

function answer(reply: FastifyReply, { events }: WitnessDependencies, outcome: Answer): FastifyReply {
  switch (outcome.kind) {
    case "cosigned":
      return reply.type("text/plain; charset=utf-8").send(outcome.lines);
    case "other-old-size":
      events.refused(outcome.kind, `the stored size is ${outcome.size}`);
      return reply.code(409).type(treeSizeMediaType).send(formatTreeSize(outcome.size));
    case "unknown-origin":
      events.refused(outcome.kind, outcome.origin);
      throw new ProblemError(404, "unknown-origin", `this witness does not follow ${outcome.origin}`);
    case "untrusted":
      events.refused(outcome.kind, outcome.reason);
      throw new ProblemError(403, "untrusted-checkpoint", outcome.reason);
    case "other-root":
      throw new ProblemError(409, "other-root", outcome.reason);
    case "inconsistent":
      throw new ProblemError(422, "inconsistent-checkpoint", outcome.reason);
    default:
      return unreachable(outcome);
  }
}

function parsed<Value>(parse: () => Value): Value {
  try {
    return parse();
  } catch (error) {
    if (error instanceof ParseError) throw malformed(error.message);
    throw error;
  }
}

function malformed(detail: string): ProblemError {
  return new ProblemError(400, "malformed-checkpoint-request", detail);
}
