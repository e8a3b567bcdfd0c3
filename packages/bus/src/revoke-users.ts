import { utf8 } from "@quorate/protocol/utf8";
import { z } from "zod";
import type { Authority } from "./authority.ts";
import { closeConnection, connectNats, requestMilliseconds } from "./connection.ts";
import { mintSystemUser } from "./user-credentials.ts";

const answerSchema = z.object({
  data: z.object({ code: z.int() }).optional(),
  error: z.object({ code: z.int(), description: z.string() }).optional(),
});

/**
 * Makes the server refuse these users' credentials, and end their connections, without a restart: all that are to be refused, each with the
 * time until which they were issued. Those that have expired need not be named. Idempotent.
 *
 * @throws Error when the server cannot be reached or does not take it
 */
export async function revokeUsers(
  { url, authority, signal }: { url: string; authority: Authority; signal?: AbortSignal },
  revoked: ReadonlyMap<string, Date>,
): Promise<void> {
  const { jwt, seed } = await mintSystemUser(authority);
  const connection = await connectNats({ urls: [url], jwt: () => jwt, seed, name: "coordinator (revocations)", events: {}, signal });
  try {
    const account = await authority.accountJwtWith(revoked);
    const answer = await connection.request("$SYS.REQ.CLAIMS.UPDATE", utf8(account), { timeout: requestMilliseconds });
    const { data, error } = answerSchema.parse(answer.json());
    if (data?.code !== 200) throw new Error(`revoking ${revoked.size} users at ${url}: the server says ${error?.description ?? "nothing"}`);
  } finally {
    await closeConnection(connection);
  }
}
