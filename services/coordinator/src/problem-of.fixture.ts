import { ApiError } from "@quorate/client/http";

/** For tests: status, kind and detail of the problem that a call is answered with. */
export async function problemOf(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(error instanceof ApiError)) throw new Error("a problem was expected", { cause: error });
  return `${error.status} ${error.problem?.type.split("/").at(-1)}: ${error.problem?.detail}`;
}
