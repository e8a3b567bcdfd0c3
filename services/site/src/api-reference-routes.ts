import type { Api } from "@quorate/client/api";
import type { HttpApp } from "@quorate/service/http-app";
import { parseApiDescription } from "./api-description.ts";
import { keepAnswer } from "./keep-answer.ts";
import { apiReferencePage } from "./pages/api-reference-page.ts";
import type { SendPage } from "./routes.ts";

const keptMilliseconds = 60_000;

type Dependencies = { api: Pick<Api, "description">; onError: (error: unknown) => void; sendPage: SendPage };

/** `/docs/api`: what this site answers, and what the coordinator does, each by its own description. */
export function addApiReferenceRoutes(app: HttpApp, { api, onError, sendPage }: Dependencies): void {
  const loadCoordinators = keepAnswer(keptMilliseconds, async () => {
    try {
      return parseApiDescription(await api.description({ signal: AbortSignal.timeout(5000) }));
    } catch (error) {
      onError(error);
      return undefined;
    }
  });
  app.get("/docs/api", (request, reply) =>
    sendPage(request, reply, async () =>
      apiReferencePage({ site: parseApiDescription(app.swagger()), coordinator: await loadCoordinators() }),
    ),
  );
}
