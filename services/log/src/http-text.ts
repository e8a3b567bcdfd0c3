/**
 * Sends a request and returns the answer's status and text, of which no more than `maxBytes` are read. Redirects are not followed.
 * @throws Error that names the URL, when there is no such answer
 */
export async function httpTextLimited(
  url: string,
  init: { method?: string; body?: string; signal: AbortSignal },
  maxBytes: number,
): Promise<{ status: number; text: string }> {
  try {
    const response = await fetch(url, { ...init, redirect: "error" });
    const decoder = new TextDecoder();
    let text = "";
    let bytes = 0;
    for await (const chunk of response.body ?? []) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw new Error(`the answer is larger than ${maxBytes} bytes`);
      text += decoder.decode(chunk, { stream: true });
    }
    return { status: response.status, text: text + decoder.decode() };
  } catch (error) {
    throw new Error(`fetching ${url}: ${reasonOf(error)}`, { cause: error });
  }
}

/** What fetch hides behind "fetch failed". */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error && error.cause.message !== "" ? error.cause.message : error.message;
}
