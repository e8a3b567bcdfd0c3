import type { LogReader } from "@quorate/client/log-reader";
import type { HttpApp } from "@quorate/service/http-app";
import { ProblemError } from "@quorate/service/problem";
import { VerificationError } from "@quorate/tlog/verification-error";
import { z } from "zod";
import { parseEntryIndex } from "./entry-index.ts";
import { operatorNames } from "./operator-facts.ts";
import { entryPage } from "./pages/entry-page.ts";
import { logPage } from "./pages/log-page.ts";
import type { ReadModel } from "./read-model.ts";
import type { SendPage } from "./routes.ts";
import type { SiteState } from "./site-state.ts";
import { listLogDays } from "./suite-facts.ts";

const listedEntries = 32;

type Dependencies = { model: ReadModel; reader: LogReader; state: () => SiteState; sendPage: SendPage };

/** The log itself, read from its tiles when it is asked for: what is shown was proved to be under the checkpoint. */
export function addLogRoutes(app: HttpApp, { model, reader, state, sendPage }: Dependencies): void {
  app.get("/log", async (request, reply) => {
    const { before } = z.object({ before: z.coerce.number().int().min(1).optional().catch(undefined) }).parse(request.query);
    return sendPage(request, reply, async () => {
      const now = state();
      const to = Math.min(before ?? now.size, now.size);
      const indices = Array.from({ length: Math.min(to, listedEntries) }, (_, at) => to - 1 - at);
      const entries = await Promise.all(indices.map(async (index) => ({ index, bytes: await reader.entry(index, now.treeSize) }))).catch(
        refuse(now),
      );
      return logPage({ state: now, entries, names: operatorNames(model), days: listLogDays(model), now: new Date() });
    });
  });

  app.get("/log/entry/:index", { schema: { params: z.object({ index: z.string() }) } }, async (request, reply) =>
    sendPage(request, reply, async () => {
      const now = state();
      const { size, treeSize } = now;
      const index = parseEntryIndex(request.params.index);
      if (index === undefined || index >= size)
        throw new ProblemError(404, "not-found", `The log has no entry of this index; it has been read up to ${size} entries.`);
      const [bytes, proof] = await Promise.all([reader.entry(index, treeSize), reader.inclusionProof(index, treeSize)]).catch(refuse(now));
      return entryPage({ index, bytes, proof, size: treeSize, names: operatorNames(model) });
    }),
  );
}

function refuse({ size, unreachableSince }: SiteState): (cause: unknown) => never {
  return (cause) => {
    if (cause instanceof VerificationError) {
      throw new ProblemError(
        502,
        "log-contradicts-itself",
        `The log served something that is not under its checkpoint: ${cause.message}.`,
        { cause },
      );
    }
    // The reader knows no tree yet: the site has just started, and the log answers.
    if (cause instanceof RangeError && unreachableSince === undefined) {
      throw new ProblemError(
        503,
        "log-being-read",
        `This site is still reading the log, and has come to ${size} entries; load the page again in a moment.`,
        { cause, headers: { "retry-after": "2" } },
      );
    }
    throw new ProblemError(503, "log-unreachable", "The log does not answer now; pages about packages show what was read of it before.", {
      cause,
    });
  };
}
