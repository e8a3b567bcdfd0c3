import { type Api, createApi } from "@quorate/client/api";
import { ApiError, ConnectionError } from "@quorate/client/http";
import { sha256Schema } from "@quorate/protocol/digest";
import type { HttpApp } from "@quorate/service/http-app";
import { ProblemError } from "@quorate/service/problem";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { Page } from "./page.ts";
import { projectPage } from "./pages/project-page.ts";
import { signInPage } from "./pages/sign-in-page.ts";
import { formatEndedCookie, formatSessionCookie, parseSessionCookie, refuseCrossSite, tokenOf } from "./project-session.ts";
import type { SendPrivatePage } from "./routes.ts";

const shownSubmissions = 50;
const shownAudit = 20;

/** What is wrong with a query shows the first page. */
const querySchema = z.object({ failing: z.literal("true").optional().catch(undefined), after: sha256Schema.optional().catch(undefined) });
const noToken = { status: 400, reason: "This is no token: a token is of ASCII letters, digits and signs, without spaces." };
const formSchema = z.object({ token: z.string().trim() });

type Dependencies = { coordinatorUrl: string; publicUrl: string | undefined; sendPrivatePage: SendPrivatePage };

/**
 * `/project`: a project's own page, for whoever signs in with a token that may read it. The browser keeps the token in a cookie that no script
 * sees; the site keeps nothing, and asks the coordinator with it each time.
 */
export function addProjectRoutes(app: HttpApp, { coordinatorUrl, publicUrl, sendPrivatePage }: Dependencies): void {
  void app.register(async (scope) => {
    scope.addContentTypeParser("application/x-www-form-urlencoded", { parseAs: "string", bodyLimit: 4096 }, (_request, body, done) =>
      done(null, Object.fromEntries(new URLSearchParams(String(body)))),
    );
    scope.addHook("onRequest", async (request) => {
      if (request.method === "POST") refuseCrossSite(request, publicUrl);
    });

    scope.get("/project", (request, reply) =>
      sendPrivatePage(reply, async () => {
        const token = parseSessionCookie(request.headers.cookie);
        if (token === undefined) return signInPage();
        try {
          return await loadPage(createApi({ url: coordinatorUrl, token }), querySchema.parse(request.query));
        } catch (error) {
          const page = refusedPage(error);
          void reply.header("set-cookie", formatEndedCookie(isSecure(request)));
          return page;
        }
      }),
    );

    // Whether it opens anything is said by the page that follows.
    scope.post("/project/sign-in", async (request, reply) => {
      const form = formSchema.safeParse(request.body);
      const token = form.success ? tokenOf(form.data.token) : undefined;
      if (token === undefined) return sendPrivatePage(reply, () => signInPage(noToken));
      return redirect(reply.header("set-cookie", formatSessionCookie(token, isSecure(request))));
    });

    scope.post("/project/sign-out", async (request, reply) => redirect(reply.header("set-cookie", formatEndedCookie(isSecure(request)))));
  });

  const redirect = (reply: FastifyReply) => reply.header("cache-control", "no-store").redirect("/project", 303);
  const isSecure = ({ protocol }: FastifyRequest) => protocol === "https" || publicUrl?.startsWith("https:") === true;
}

/** The form, with why a token opens nothing here. @throws ProblemError when it is not the token */
function refusedPage(error: unknown): Page {
  if (error instanceof ApiError && (error.status === 401 || error.status === 403)) {
    return signInPage({ status: error.status, reason: error.problem?.detail ?? error.message });
  }
  if (!(error instanceof ApiError || error instanceof ConnectionError)) throw error;
  const detail = "The coordinator, which knows the projects, does not answer now; try again later.";
  throw new ProblemError(503, "coordinator-unreachable", detail, { cause: error });
}

async function loadPage(api: Api, { failing, after }: z.output<typeof querySchema>): Promise<Page> {
  const isFailing = failing !== undefined;
  const [project, submissions, audit] = await Promise.all([
    api.project(),
    api.projectSubmissions({ limit: shownSubmissions, failing: isFailing, ...(after !== undefined && { after }) }),
    api.projectAudit({ limit: shownAudit }),
  ]);
  return projectPage({ project, submissions, audit, isFailing, isFirst: after === undefined });
}
