import { randomUUID } from "node:crypto";
import type { Socket } from "node:net";
import type { Problem } from "@quorate/protocol/problem";
import { fastify, LogController } from "fastify";
import type {
  FastifyBaseLogger,
  FastifyError,
  FastifyInstance,
  FastifyReply,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from "fastify";
import { hasZodFastifySchemaValidationErrors, serializerCompiler, validatorCompiler } from "fastify-type-provider-zod";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import type { Logger } from "./logger.ts";
import { metricsMediaType } from "./metrics.ts";
import type { Metrics } from "./metrics.ts";
import { addHealthRoutes } from "./health.ts";
import type { ReadinessChecks } from "./health.ts";
import { problemMediaType, ProblemError } from "./problem.ts";

export type HttpApp = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;

export type HttpAppOptions = {
  logger: Logger;
  /** Largest request body; routes may set a smaller or larger one. Default 1 MiB. */
  bodyLimitBytes?: number;
  /** A request must have arrived whole within this time. Default 30 s. */
  requestTimeoutMilliseconds?: number;
  /** Awaited by `GET /health/ready`: one that throws or takes over 2 s makes it 503. */
  readiness?: ReadinessChecks;
  /** Served at `GET /metrics`; with them, how many requests were answered with a problem. */
  metrics?: Metrics;
  /** Proxies in front that may say who the client is; default none. */
  trustProxy?: boolean | string[];
};

/**
 * An HTTP app whose routes take zod schemas, whose every error is problem+json, whose bodies and waiting times are bounded, with `/health/live`
 * and `/health/ready`. Requests are not logged one by one; answers of 500 and above are.
 */
export function createHttpApp(options: HttpAppOptions): HttpApp {
  const app = fastify({
    loggerInstance: options.logger as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    // A child logger costs more than most requests; the few lines that concern a request carry its id by themselves.
    childLoggerFactory: (logger) => logger,
    genReqId: () => randomUUID(),
    bodyLimit: options.bodyLimitBytes ?? 1_048_576,
    requestTimeout: options.requestTimeoutMilliseconds ?? 30_000,
    keepAliveTimeout: 60_000,
    trustProxy: options.trustProxy ?? false,
    routerOptions: { maxParamLength: 512 },
    frameworkErrors: (error, request, reply) => void sendError(error, request.id, reply, options.logger),
    clientErrorHandler(error, socket) {
      if (error.code === "ECONNRESET" || !socket.writable) return;
      socket.end(rawProblem(error.code));
    },
  }).withTypeProvider<ZodTypeProvider>();
  // Text is no body of ours: 415, and not a complaint about a string.
  app.removeContentTypeParser("text/plain");
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler<FastifyError>((error, request, reply) => sendError(error, request.id, reply, options.logger));
  app.setNotFoundHandler((request, reply) =>
    sendProblem(reply, new ProblemError(404, "not-found", `there is nothing at ${request.method} ${request.url.slice(0, 200)}`).problem),
  );
  closeConnectionsOnStop(app);
  addHealthRoutes(app, options.readiness ?? {});
  if (options.metrics !== undefined) addMetrics(app, options.metrics);
  return app;
}

function addMetrics(app: HttpApp, metrics: Metrics): void {
  const problems = metrics.counter({ name: "http_problems_total", help: "Requests answered with 400 or above, by status." });
  app.addHook("onResponse", async (_request, { statusCode }) => {
    if (statusCode >= 400) problems.add(1, { status: String(statusCode) });
  });
  app.get("/metrics", { config: { rateLimit: false } }, (_request, reply) => reply.type(metricsMediaType).send(metrics.text()));
}

/**
 * Closing waits for connections. Node closes those between two requests, and not one that has sent none yet; one with a request under way would
 * be kept open for the next.
 */
function closeConnectionsOnStop(app: HttpApp): void {
  let closing = false;
  const quiet = new Set<Socket>();
  app.server.on("connection", (socket) => {
    quiet.add(socket);
    socket.once("close", () => quiet.delete(socket));
  });
  app.server.on("request", ({ socket }) => quiet.delete(socket));
  app.addHook("preClose", async () => {
    closing = true;
    for (const socket of quiet) socket.destroy();
  });
  app.addHook("onSend", async (_request, reply) => {
    if (closing) reply.header("connection", "close");
  });
}

function sendError(error: unknown, requestId: string, reply: FastifyReply, logger: Logger): FastifyReply {
  if (error instanceof ProblemError) {
    if (error.status >= 500) logger.warn({ requestId, err: error, status: error.status }, "answered with a problem");
    return sendProblem(reply.headers(error.headers), error.problem);
  }
  if (hasZodFastifySchemaValidationErrors(error)) {
    const errors = error.validation.slice(0, 20).map((issue) => ({
      path: `${error.validationContext}${issue.instancePath}`.replace(/\/$/, ""),
      message: sayPlainly(issue.message ?? "is wrong"),
    }));
    const detail = `the request does not fit its schema: ${errors.map(({ path, message }) => `${path} ${message}`).join("; ")}`;
    return sendProblem(reply, new ProblemError(400, "invalid-request", detail, { extensions: { errors } }).problem);
  }
  const status = error instanceof Error && "statusCode" in error && typeof error.statusCode === "number" ? error.statusCode : 500;
  if (error instanceof Error && status >= 400 && status < 500) {
    return sendProblem(reply, new ProblemError(status, kindOfStatus(status), clientErrorDetail(error, reply)).problem);
  }
  logger.error({ requestId, err: error }, "a request failed for a reason of ours");
  if (isDiskFull(error)) {
    const detail =
      "the service's disk is full, and what it cannot store it does not take; ask whoever runs it to make room, then try again";
    return sendProblem(reply.header("retry-after", "60"), new ProblemError(507, "no-space", detail).problem);
  }
  const detail = `the service could not answer; its log says why under request id ${requestId}`;
  return sendProblem(reply, new ProblemError(500, "internal-error", detail).problem);
}

/** zod's "Invalid input: expected string, received undefined", in words for whoever sent the request. */
function sayPlainly(message: string): string {
  const [, expected, received] = /^Invalid input: expected (\w+), received (\w+)$/.exec(message) ?? [];
  if (expected === undefined) return message;
  return received === "undefined" ? "is missing" : `must be of type ${expected}, not ${received}`;
}

/** Of this process's own files, or of PostgreSQL's (its error code 53100). */
function isDiskFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ("code" in error && ["ENOSPC", "EDQUOT", "53100"].includes(String(error.code))) || isDiskFull(error.cause);
}

/** The framework's own words, except where they leave out what to do. */
function clientErrorDetail(error: Error, { request }: FastifyReply): string {
  switch ("code" in error ? error.code : undefined) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return `the body is larger than the ${request.routeOptions.bodyLimit} bytes that may be sent here`;
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return `bodies of the content-type ${request.headers["content-type"]?.slice(0, 100) ?? "(none)"} are not read here; send application/json, or what the route's documentation names`;
    case "FST_ERR_CTP_INVALID_JSON_BODY":
      return "the body is not JSON, although its content-type says so";
    case "FST_ERR_CTP_EMPTY_JSON_BODY":
      return "the body is empty, although its content-type says that it is JSON";
    default:
      return error.message;
  }
}

function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply.code(problem.status).type(problemMediaType).serializer(JSON.stringify).send(problem);
}

function kindOfStatus(status: number): string {
  switch (status) {
    case 413:
      return "body-too-large";
    case 415:
      return "unsupported-media-type";
    case 408:
      return "request-timeout";
    case 429:
      return "too-many-requests";
    default:
      return "invalid-request";
  }
}

/** Bytes that do not parse as HTTP never reach a route; the answer is written by hand. */
function rawProblem(code: string | undefined): string {
  const { line, problem } = rawAnswerOf(code);
  const body = JSON.stringify(problem.problem);
  return `HTTP/1.1 ${line}\r\ncontent-type: ${problemMediaType}\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`;
}

function rawAnswerOf(code: string | undefined): { line: string; problem: ProblemError } {
  switch (code) {
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return { line: "408 Request Timeout", problem: new ProblemError(408, "request-timeout", "the request did not arrive in time") };
    case "HPE_HEADER_OVERFLOW":
      return {
        line: "431 Request Header Fields Too Large",
        problem: new ProblemError(431, "headers-too-large", "the request's headers have more than 16384 bytes; send fewer or shorter ones"),
      };
    default:
      return { line: "400 Bad Request", problem: new ProblemError(400, "malformed-http", "the request is not HTTP") };
  }
}
