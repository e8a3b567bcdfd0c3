import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { ProjectAudit, ProjectSubmissions, ProjectView } from "@quorate/protocol/project";
import { digestOf } from "@quorate/attestation/nouns.fixture";
import { TestNetwork } from "@quorate/verdict/network.fixture";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestSite, type TestSite } from "./site.fixture.ts";

const id = "00000000-0000-4000-8000-000000000000";
const at = "2026-11-23T12:00:00.000Z";
const hostile = "<script>alert(1)</script>\u202e\"'";
const token = { id, project: "qa", scopes: ["read" as const], createdAt: at };
const project: ProjectView = {
  project: "qa",
  token,
  quota: { targetsADay: 20_000, used: 3, freeAt: at },
  submissions: 3,
  targets: { reproduced: 1, mismatch: 2 },
  failing: 2,
  builderSeconds: 7384,
};
const target = { target: digestOf("target"), version: "1.14-20", architecture: "all", round: digestOf("round"), state: "settled" as const };
const submissions: ProjectSubmissions = {
  submissions: [
    {
      id: digestOf("submission"),
      request: { distribution: "debian", suite: "bookworm", source: "mailgraph" },
      token: id,
      submittedAt: at,
      targets: [
        { ...target, outcome: "mismatch", verdictIndex: 12 },
        { ...target, state: "building" },
      ],
    },
  ],
  next: digestOf("submission"),
};
const audit: ProjectAudit = { entries: [{ id: 1, at, actor: hostile, action: "create-token", subject: id, detail: hostile }] };

/** What stands for a coordinator: it knows one token that reads and one that does not. */
const asked: { path: string; authorization: string | undefined }[] = [];
const coordinator = createServer(({ url = "", headers: { authorization } }, response) => {
  asked.push({ path: url, authorization });
  const problem = (status: number, detail: string) =>
    [status, { type: "https://quorate.dev/problems/x", title: "X", status, detail }] as const;
  const [status, body] =
    authorization === "Bearer submits"
      ? problem(403, `this needs a token with the scope read${hostile}`)
      : authorization !== "Bearer reads"
        ? problem(401, "this API token is not valid")
        : ([200, url.startsWith("/v1/project/submissions") ? submissions : url.startsWith("/v1/project/audit") ? audit : project] as const);
  response
    .writeHead(status, { "content-type": status === 200 ? "application/json" : "application/problem+json" })
    .end(JSON.stringify(body));
});

let site: TestSite;
beforeAll(async () => {
  await once(coordinator.listen(0, "127.0.0.1"), "listening");
  const network = new TestNetwork();
  network.rebuild();
  site = await startTestSite(network, { coordinatorUrl: `http://127.0.0.1:${(coordinator.address() as AddressInfo).port}` });
});
afterAll(async () => {
  await site?.[Symbol.asyncDispose]();
  coordinator.close();
});

const post = (path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
  fetch(`${site.url}${path}`, { method: "POST", body: new URLSearchParams(fields), headers, redirect: "manual" });

async function cookieOf(secret: string): Promise<string> {
  const answer = await post("/project/sign-in", { token: secret });
  expect([answer.status, answer.headers.get("location"), answer.headers.get("cache-control")]).toEqual([303, "/project", "no-store"]);
  return answer.headers.get("set-cookie")?.split(";")[0] ?? "";
}

it("asks for a token, and shows whoever has one that reads what the project has submitted, what fails, what it cost and who had tokens", async () => {
  const form = await site.get("/project");
  expect(form.text).toMatch(/<form class="sign-in" method="post" action="\/project\/sign-in">.*type="password"/s);
  const { status, text, headers } = await site.get("/project", { cookie: await cookieOf(" reads ") });
  expect(status).toBe(200);
  expect(headers.get("set-cookie")).toBeNull();
  expect(text).toContain("<h1>Project qa</h1>");
  expect(text).toContain("3 of 20\u202f000 targets");
  expect(text).toContain("2 h 3 min of builders' time");
  expect(text).toMatch(/<b>2<\/b> mismatch/);
  for (const path of ["/package/mailgraph", "/log/entry/12", `/live/${target.round}`, "/project?failing=true"])
    expect(text).toContain(`href="${path}"`);
  expect(text).toContain(`href="/project?after=${submissions.next}"`);
});

it("asks for those that fail and for the next page, and takes nothing else from its address", async () => {
  const cookie = await cookieOf("reads");
  const after = digestOf("submission");
  const { text } = await site.get(`/project?failing=true&after=${after}`, { cookie });
  expect(asked.map(({ path }) => path)).toContain(`/v1/project/submissions?limit=50&failing=true&after=${after}`);
  expect(text).toContain("Submissions that fail");
  expect(text).toContain(`href="/project?failing=true&amp;after=${after}"`);
  asked.length = 0;
  expect((await site.get("/project?failing=yes&after=..%2Ftokens&limit=9999", { cookie })).status).toBe(200);
  expect(asked.map(({ path }) => path)).toContain("/v1/project/submissions?limit=50&failing=false");
});

it("shows what others chose as text", async () => {
  const pages = [
    await site.get("/project", { cookie: await cookieOf("reads") }),
    await site.get("/project", { cookie: await cookieOf("submits") }),
  ];
  for (const { text } of pages) {
    expect(text).toContain("&lt;script&gt;alert(1)&lt;/script&gt;⟨U+202E⟩");
    expect(text).not.toMatch(/<script>|\u202e/);
  }
});

it("forgets a token that opens nothing here and says why, and one at its reader's wish", async () => {
  for (const [secret, expected] of [
    ["submits", 403],
    ["invented", 401],
  ] as const) {
    const { status, text, headers } = await site.get("/project", { cookie: await cookieOf(secret) });
    expect(status).toBe(expected);
    expect(headers.get("set-cookie")).toMatch(/^quorate_project=; Max-Age=0; Path=\/project; /);
    expect(text).toMatch(/role="alert" id="refused">this .*token/);
  }
  const out = await post("/project/sign-out", {}, { cookie: await cookieOf("reads") });
  expect([out.status, out.headers.get("location")]).toEqual([303, "/project"]);
  expect(out.headers.get("set-cookie")).toMatch(/^quorate_project=; Max-Age=0; /);
});

it("takes no form of another site, no token that is none, and nothing that is no form", async () => {
  asked.length = 0;
  for (const path of ["/project/sign-in", "/project/sign-out"]) {
    const refused = await post(path, { token: "reads" }, { origin: "https://evil.example" });
    expect([refused.status, refused.headers.get("set-cookie")]).toEqual([403, null]);
  }
  for (const secret of ["", "two words", "x".repeat(513), "\u0000", "é"]) {
    const refused = await post("/project/sign-in", { token: secret });
    expect([refused.status, refused.headers.get("set-cookie")], secret).toEqual([400, null]);
  }
  const json = await fetch(`${site.url}/project/sign-in`, { method: "POST", body: "{}", headers: { "content-type": "application/json" } });
  expect(json.status).toBe(400);
  expect((await post("/project/sign-in", { token: "x".repeat(5000) })).status).toBe(413);
  expect(asked).toEqual([]);
});

it("is kept by nobody on the way, is not compressed, and needs no script", async () => {
  const { headers, text } = await site.get("/project", { cookie: await cookieOf("reads"), "accept-encoding": "gzip" });
  expect([headers.get("cache-control"), headers.get("etag"), headers.get("content-encoding")]).toEqual(["no-store", null, null]);
  expect(headers.get("content-security-policy")).toContain("form-action 'self'");
  expect(text).not.toMatch(/\sstyle="|\son[a-z]+="/);
  expect((await site.get("/project")).text).not.toContain("Project qa");
});

it("says that the coordinator is away, and keeps the token", async () => {
  const network = new TestNetwork();
  network.rebuild();
  await using alone = await startTestSite(network);
  const { status, text, headers } = await alone.get("/project", { cookie: await cookieOf("reads") });
  expect(status).toBe(503);
  expect(text).toContain("try again later");
  expect(headers.get("set-cookie")).toBeNull();
});
