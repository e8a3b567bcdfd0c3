import { expect, test } from "vitest";
import { bearerTokenOf, requireBearer } from "./bearer.ts";

const request = (authorization?: string) => ({ headers: authorization === undefined ? {} : { authorization } });

test("opens to the token alone", async () => {
  const hook = requireBearer("the-right-token");
  await expect(hook(request("Bearer the-right-token"))).resolves.toBeUndefined();
  for (const header of [undefined, "", "Bearer", "Bearer ", "Bearer the-right-toke", "Bearer the-right-token2", "Basic the-right-token"]) {
    await expect(hook(request(header))).rejects.toMatchObject({ status: 401, headers: { "www-authenticate": "Bearer" } });
  }
});

test("reads a token that is one word of ASCII, and no other", () => {
  expect(bearerTokenOf({ authorization: "bearer abc" }, "ask")).toBe("abc");
  for (const authorization of [undefined, "Bearer a b", "Bearer \u00e9", `Bearer ${"a".repeat(5_000)}`]) {
    expect(() => bearerTokenOf({ authorization }, "ask Ada for one")).toThrow(/needs the header .*; ask Ada for one/);
  }
});
