import type { Api } from "@quorate/client/api";
import type { HttpApp } from "@quorate/service/http-app";
import { parseApiDescription } from "./api-description.ts";
import { keepAnswer } from "./keep-answer.ts";
import { apiReferencePage } from "./pages/api-reference-page.ts";
import type { SendPage } from "./routes.ts";

const keptMilliseconds = 60_000;

/** `/docs/api`: what this site answers, and what the coordinator does, each by its own description. */
export function addApiReferenceRoutes(app: HttpApp, { api, sendPage }: { api: Pick<Api, "description">; sendPage: SendPage }): void {
  const loadCoordinators = keepAnswer(keptMilliseconds, () =>
    api
      .description({ signal: AbortSignal.timeout(5000) })
      .then(parseApiDescription)
      .catch(() => undefined),
  );
  app.get("/docs/api", (request, reply) =>
    sendPage(request, reply, async () =>
      apiReferencePage({ site: parseApiDescription(app.swagger()), coordinator: await loadCoordinators() }),
    ),
  );
}
