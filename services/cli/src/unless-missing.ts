import { ApiError } from "@quorate/client/http";
import { MissingBlobError } from "./blob-loader.ts";

/** The answer, or undefined when the network says that there is no such thing, or the data directory of a stopped one has none. */
export async function unlessMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if ((error instanceof ApiError && error.status === 404) || error instanceof MissingBlobError) return undefined;
    throw error;
  }
}
