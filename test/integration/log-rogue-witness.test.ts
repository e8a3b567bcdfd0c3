import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { utf8 } from "@quorate/protocol/utf8";
import { createNoteKey, verifyNoteSignature } from "@quorate/signing/note-key";
import { cosign } from "@quorate/tlog/cosignature";
import { formatSignatureLines, formatVkey } from "@quorate/tlog/note";
import type { NoteSigner } from "@quorate/tlog/note";
import { parseTlogPolicy, verifyCosignedCheckpoint } from "@quorate/tlog/tlog-policy";
import { expect, test } from "vitest";
import { append, LogConstellation } from "./log-constellation.ts";

type Behaviour = (request: IncomingMessage, response: ServerResponse, keys: { own: NoteSigner; other: NoteSigner }) => void;

const signs = (signer: NoteSigner, text: string) => formatSignatureLines([cosign({ text, time: 1_700_000_000, signer })]);

const behaviours: Record<string, Behaviour> = {
  "answers rubbish": (_request, response) => void response.end("rubbish"),
  "answers an empty body": (_request, response) => void response.end(),
  "answers without end": (_request, response) => {
    const flood = () => void (response.write("x".repeat(65_536)) ? setImmediate(flood) : response.once("drain", flood));
    response.on("error", () => undefined);
    flood();
  },
  "never answers": () => undefined,
  "hangs up": (request) => void request.socket.destroy(),
  "redirects elsewhere": (_request, response) => void response.writeHead(307, { location: "http://127.0.0.1:9/" }).end(),
  "claims to have seen more": (request, response) => {
    if (request.method === "POST") response.writeHead(409, { "content-type": "text/x.tlog.size" }).end("900\n");
    else response.writeHead(404).end();
  },
  "claims to have seen more, in a note that the log did not sign": (request, response, { other }) => {
    if (request.method === "POST") response.writeHead(409).end("900\n");
    else response.end(`log.example/test\n900\n${"A".repeat(43)}=\n\n${signs(other, "x")}`);
  },
  "claims to have seen more, and never shows it": (request, response) => {
    if (request.method === "POST") response.writeHead(409).end("900\n");
  },
  "claims a fork": (_request, response) => void response.writeHead(422).end("inconsistent"),
  "claims another root of the size that it has": (request, response) => {
    if (request.method === "POST") response.writeHead(409, { "content-type": "text/plain" }).end("other root\n");
    else response.writeHead(404).end();
  },
  "names a new size every time": (_request, response) => void response.writeHead(409).end("0\n"),
  "cosigns another root": (_request, response, { own }) => void response.end(signs(own, `log.example/test\n1\n${"A".repeat(43)}=\n`)),
  "cosigns another text": (_request, response, { own }) => void response.end(signs(own, "another text\n")),
  "cosigns with another key": (_request, response, { other }) => void response.end(signs(other, "another text\n")),
};

/** Serves a third witness, `rogue`, beside the constellation's two; any two of the three are the quorum. */
async function startRogue(constellation: LogConstellation, behave: Behaviour) {
  const key = (name: string) => createNoteKey(join(constellation.directory, name), `witness.example/${name}`, "cosignature");
  const keys = { own: key("rogue"), other: key("other") };
  const server = createServer((request, response) => behave(request, response, keys));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const witness = `witness rogue ${formatVkey(keys.own.key)} http://127.0.0.1:${port}\n`;
  const policy = parseTlogPolicy(constellation.policyText.replace("group witnesses 2 w1 w2", `${witness}group witnesses 2 w1 w2 rogue`));
  const close = async () => {
    server.closeAllConnections();
    server.close();
  };
  return { policy, [Symbol.asyncDispose]: close };
}

test.each(Object.entries(behaviours))("a witness that %s costs its own cosignature and nothing else", async (_what, behave) => {
  await using constellation = await LogConstellation.start({ witnesses: 2, quorum: 2 });
  await using rogue = await startRogue(constellation, behave);
  const { policy } = rogue;
  // With a deadline that outlasts the test, one that keeps the log waiting would keep the entry from being published.
  await using log = await constellation.startLog({ policy, witnessMilliseconds: 600_000 });
  await append(log.url, "a", utf8("a"));
  const answer = await append(log.url, "b", utf8("b"));
  const { checkpoint, witnesses } = verifyCosignedCheckpoint(answer.checkpoint ?? "", policy, verifyNoteSignature);
  expect([checkpoint.size, witnesses.map(({ name }) => name)]).toEqual([2, ["w1", "w2"]]);
  expect(constellation.failures).toEqual([]);
});

test.concurrent.for(Object.entries(behaviours))(
  "with a witness that %s in place of one of the quorum, nothing is served until that one is back",
  // Of tests that run at once each polls as itself.
  async ([_what, behave], { expect }) => {
    await using constellation = await LogConstellation.start({ witnesses: 2, quorum: 2 });
    const [first] = constellation.witnesses;
    await first?.stop();
    await using rogue = await startRogue(constellation, behave);
    const { policy } = rogue;
    await using log = await constellation.startLog({ policy, witnessMilliseconds: 200 });
    expect(await append(log.url, "a", utf8("a"))).toMatchObject({ status: 503, type: "https://quorate.dev/problems/starting" });
    expect((await fetch(`${log.url}/checkpoint`)).status).toBe(503);
    await first?.start();
    await expect.poll(async () => (await fetch(`${log.url}/health/ready`)).status, { timeout: 30_000 }).toBe(200);
    const answer = await append(log.url, "a", utf8("a"));
    const { witnesses } = verifyCosignedCheckpoint(answer.checkpoint ?? "", policy, verifyNoteSignature);
    expect(witnesses.map(({ name }) => name)).toEqual(["w1", "w2"]);
    expect(constellation.failures).toEqual([]);
  },
);
