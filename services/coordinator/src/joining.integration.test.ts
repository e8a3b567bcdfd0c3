import { generateKeyPairSync } from "node:crypto";
import { createUserKey } from "@quorate/bus/user-credentials";
import { type Api, createApi } from "@quorate/client/api";
import { sha256Of } from "@quorate/protocol/digest";
import { entryKey } from "@quorate/protocol/entry";
import { formatTime } from "@quorate/protocol/names";
import type { OperatorId } from "@quorate/protocol/operator";
import { textOf } from "@quorate/protocol/utf8";
import { countersign, signStatement, signWorkerStatement } from "@quorate/signing/envelope";
import { rotationOf } from "@quorate/signing/operator-directory";
import { loadP256Key, type P256Signer, p256SignerOf } from "@quorate/signing/p256-key";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ConsoleOverview } from "./console/console-overview.ts";
import { openDatabase } from "./database.ts";
import { adminToken, invitationToken, startTestNetwork, type TestNetwork } from "./network.fixture.ts";
import { problemOf } from "./problem-of.fixture.ts";
import { replayLog } from "./replay.fixture.ts";
import { saveLogging } from "./store/operator-statements.ts";
import { signEnrolment, signRegistration } from "./test-operator.fixture.ts";

let network: TestNetwork;
let stranger: Api;
let admin: Api;
beforeAll(async () => {
  network = await startTestNetwork({ sources: [{ source: "alpha", version: "1.0", architecture: "all" }] });
  stranger = createApi({ url: network.url });
  admin = createApi({ url: network.url, token: adminToken });
});
afterAll(() => network[Symbol.asyncDispose]());

const newSigner = (): P256Signer => p256SignerOf(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey);
const envelopeOf = (signer: P256Signer, name: string, change = {}) => textOf(signEnrolment(signer, name, change));

async function signDismissal(signer: P256Signer, worker: string): Promise<Uint8Array> {
  const network = sha256Of(Buffer.from((await stranger.network()).networkKey, "base64"));
  const saidAt = formatTime(new Date());
  return signWorkerStatement({ action: "dismiss", operator: signer.operator, worker, network, saidAt }, signer);
}

/** Of whom the audit log says that this was decided, the newest first. */
async function decidedOf(action: string): Promise<(string | undefined)[]> {
  const authorization = `Basic ${Buffer.from(`grace:${adminToken}`).toString("base64")}`;
  const { audit } = (await (await fetch(`${network.consoleUrl}/overview.json`, { headers: { authorization } })).json()) as ConsoleOverview;
  return audit.filter((entry) => entry.action === action).map(({ subject }) => subject);
}

async function admitted(name: string): Promise<P256Signer> {
  const signer = newSigner();
  await stranger.sendOperatorStatement({ envelope: envelopeOf(signer, name), invitation: invitationToken });
  return signer;
}

describe("admission", () => {
  test("an operator without an invitation waits until whoever runs the network approves it, and is then logged", async () => {
    const signer = newSigner();
    expect((await stranger.sendOperatorStatement({ envelope: envelopeOf(signer, "Ada") })).state).toBe("pending");
    expect((await stranger.operator(signer.operator)).state).toBe("pending");
    const { publicKey: worker } = createUserKey();
    const registration = textOf(await signRegistration(stranger, signer, { worker }));
    expect(await problemOf(stranger.registerWorker(registration))).toMatch(/^404 not-enrolled/);
    expect((await admin.undecidedOperators()).map(({ name }) => name)).toContain("Ada");
    const view = await admin.decide(signer.operator, { decision: "approve" });
    expect(view).toMatchObject({ state: "admitted", name: "Ada", enrolledIndex: expect.any(Number) });
    expect(await stranger.registerWorker(registration)).toMatchObject({ operator: signer.operator });
    await replayLog(stranger);
  });

  test("an enrolment that was not logged when the log was away is logged later, without a restart and without being sent again", async () => {
    await using database = await openDatabase({ url: network.config.DATABASE_URL, onError: () => undefined });
    const signer = newSigner();
    const { operator } = signer;
    const envelope = countersign(signEnrolment(signer, "Eve"), loadP256Key(network.config.NETWORK_KEY_FILE));
    await saveLogging(database.db, { key: entryKey.enrolment(operator), operator, envelope }, new Date());
    await expect.poll(async () => (await stranger.operator(operator)).state, { timeout: 20_000 }).toBe("admitted");
    await replayLog(stranger);
  });

  test("an operator that is refused is told why, and may not take part", async () => {
    const signer = newSigner();
    await stranger.sendOperatorStatement({ envelope: envelopeOf(signer, "Bert") });
    await admin.decide(signer.operator, { decision: "refuse", reason: "we do not know you" });
    expect(await stranger.operator(signer.operator)).toMatchObject({ state: "refused", reason: "we do not know you" });
    const registration = textOf(await signRegistration(stranger, signer, { worker: createUserKey().publicKey }));
    expect(await problemOf(stranger.registerWorker(registration))).toMatch(/^404 not-enrolled/);
  });

  test("only whoever runs the network decides and sees who waits", async () => {
    const [first] = await stranger.operators();
    const other = createApi({ url: network.url, token: invitationToken });
    for (const api of [stranger, other]) {
      expect(await problemOf(api.undecidedOperators())).toMatch(/^401 unauthorized/);
      expect(await problemOf(api.decide(first?.operator ?? newSigner().operator, { decision: "revoke", reason: "envy" }))).toMatch(/^401/);
    }
  });

  test("an enrolment is refused with a wrong invitation, another's key, the network's key, or a name, key or hostname that is taken", async () => {
    const cyd = newSigner();
    const taken = { hostname: "cyd.rebuild.example" };
    const send = (envelope: string, invitation?: string) => stranger.sendOperatorStatement({ envelope, invitation });
    await send(envelopeOf(cyd, "Cyd", taken), invitationToken);
    expect(await problemOf(send(envelopeOf(newSigner(), "Dora"), "no-such-invitation-code"))).toMatch(/^403 unknown-invitation/);
    const ofNetwork = loadP256Key(network.config.NETWORK_KEY_FILE);
    const forged = { identityKey: Buffer.from(ofNetwork.spki).toString("base64") };
    expect(await problemOf(send(envelopeOf(newSigner(), "Mallory", forged)))).toMatch(/^422 malformed-operator-statement/);
    expect(await problemOf(send(envelopeOf(ofNetwork, "Network")))).toMatch(/^422 malformed-operator-statement: .*the network/);
    expect(await problemOf(send(envelopeOf(newSigner(), "Cyd")))).toMatch(/^409 taken: .*choose another name/);
    expect(await problemOf(send(envelopeOf(newSigner(), "Cyd too", taken)))).toMatch(/^409 taken: .*hostname/);
    expect((await send(envelopeOf(cyd, "Cyd under another name"), invitationToken)).name).toBe("Cyd");
  });
});

describe("registration of workers", () => {
  test("credentials are for the worker that the operator named, at this network, now; nobody gains from saying it again", async () => {
    const signer = await admitted("Eve's rebuilder");
    const { publicKey: worker } = createUserKey();
    const register = async (change: object, by = signer) =>
      stranger.registerWorker(textOf(await signRegistration(stranger, by, { worker, operator: signer.operator, ...change })));
    expect(await problemOf(register({}, newSigner()))).toMatch(/^403 not-signed-by-operator/);
    expect(await problemOf(register({ network: "0".repeat(64) }))).toMatch(/^422 malformed-worker-statement/);
    expect(await problemOf(register({ saidAt: "2020-01-01T00:00:00Z" }))).toMatch(/^422 clock-differs: .*behind/);
    const { natsJwt } = await register({});
    const subject: unknown = JSON.parse(Buffer.from(natsJwt.split(".")[1] ?? "", "base64url").toString());
    expect(subject).toMatchObject({ sub: worker });
    const other = await admitted("Finn");
    const stolen = textOf(await signRegistration(stranger, other, { worker }));
    expect(await problemOf(stranger.registerWorker(stolen))).toMatch(/^403 not-yours/);
  });

  test("a dismissed worker is disconnected, and never gets credentials again", async () => {
    const operator = await network.enrol("Gina");
    const [worker] = (await stranger.workers()).filter((candidate) => candidate.operator === operator.id);
    if (!worker) throw new Error("Gina has a worker");
    const registration = textOf(await signRegistration(stranger, operator.signer, { worker: worker.worker }));
    await stranger.dismissWorker(textOf(await signDismissal(operator.signer, worker.worker)));
    await expect.poll(() => operator.refusals.length, { timeout: 20_000 }).toBeGreaterThan(0);
    expect(await problemOf(stranger.registerWorker(registration))).toMatch(/^403 dismissed/);
    expect((await stranger.workers()).find((candidate) => candidate.worker === worker.worker)?.state).toBe("dismissed");
  });
});

describe("changes of keys, and revocation", () => {
  test("an operator changes its key and stays who it is: the old key and the credentials that it got are worth nothing", async () => {
    const operator = await network.enrol("Hal");
    const next = newSigner();
    const rotation = signStatement({ kind: "operator", predicate: rotationOf(operator.id, next) }, [operator.signer, next]);
    const view = await stranger.sendOperatorStatement({ envelope: textOf(rotation) });
    const identityKey = Buffer.from(next.spki).toString("base64");
    expect(view).toMatchObject({ operator: operator.id, state: "admitted", identityKey });
    expect(view.rotations).toEqual([{ index: expect.any(Number), identityKey }]);
    expect(view.connectionsEnd).toBe("now");
    expect(await stranger.sendOperatorStatement({ envelope: textOf(rotation) })).toEqual({ ...view, connectionsEnd: undefined });
    await expect.poll(() => operator.refusals.length, { timeout: 20_000 }).toBeGreaterThan(0);
    const { publicKey: worker } = createUserKey();
    const byOld = textOf(await signRegistration(stranger, operator.signer, { worker }));
    expect(await problemOf(stranger.registerWorker(byOld))).toMatch(/^403 not-signed-by-operator/);
    const byNew = textOf(await signRegistration(stranger, { ...next, operator: operator.id }, { worker }));
    expect(await stranger.registerWorker(byNew)).toMatchObject({ operator: operator.id });
    expect(await problemOf(stranger.sendOperatorStatement({ envelope: envelopeOf(next, "Hal again") }))).toMatch(/^409 taken: key/);
    await replayLog(stranger);
  });

  test("a change of keys needs the old key and the new one", async () => {
    const signer = await admitted("Ida");
    const [next, thief] = [newSigner(), newSigner()];
    const predicate = rotationOf(signer.operator, next);
    for (const signers of [[thief, next], [signer], [signer, thief]]) {
      const envelope = textOf(signStatement({ kind: "operator", predicate }, signers));
      expect(await problemOf(stranger.sendOperatorStatement({ envelope }))).toMatch(/^422 malformed-operator-statement/);
    }
  });

  test.each([
    ["whoever runs the network", (operator: OperatorId) => admin.decide(operator, { decision: "revoke", reason: "it lies" })],
    [
      "the operator itself",
      (operator: OperatorId, signer: P256Signer) =>
        stranger.sendOperatorStatement({
          envelope: textOf(signStatement({ kind: "operator", predicate: { action: "revoke", operator, reason: "tired" } }, [signer])),
        }),
    ],
  ])("an operator that %s revokes is disconnected without a restart of the server, and stays out", async (who, revoke) => {
    const operator = await network.enrol(`Jon, whom ${who} revokes`);
    const view = await revoke(operator.id, operator.signer);
    expect(view).toMatchObject({ state: "revoked", revokedIndex: expect.any(Number) });
    await expect.poll(() => operator.refusals.length, { timeout: 20_000 }).toBeGreaterThan(0);
    const registration = textOf(await signRegistration(stranger, operator.signer, { worker: createUserKey().publicKey }));
    expect(await problemOf(stranger.registerWorker(registration))).toMatch(/^403 revoked/);
    expect((await stranger.network()).operators.map((present) => present.operator)).not.toContain(operator.id);
    await replayLog(stranger);
  });

  test("while NATS is away an operator joins, changes its key and is revoked: logged and audited at once, and connections end when it is back", async () => {
    const [rotating, revoked, leaving] = [await network.enrol("Kim"), await network.enrol("Leo"), await network.enrol("Mia")];
    const next = newSigner();
    const rotation = signStatement({ kind: "operator", predicate: rotationOf(rotating.id, next) }, [rotating.signer, next]);
    const worker = (await stranger.workers()).find(({ operator }) => operator === leaving.id)?.worker ?? "";
    await network.stopNats();
    const waiting = newSigner();
    await stranger.sendOperatorStatement({ envelope: envelopeOf(waiting, "Nia") });
    expect(await admin.decide(waiting.operator, { decision: "approve" })).toMatchObject({ state: "admitted" });
    expect(await stranger.sendOperatorStatement({ envelope: textOf(rotation) })).toMatchObject({ connectionsEnd: "later" });
    const reason = "it lies";
    const view = await admin.decide(revoked.id, { decision: "revoke", reason });
    expect(view).toMatchObject({ state: "revoked", revokedIndex: expect.any(Number), connectionsEnd: "later" });
    const dismissed = await stranger.dismissWorker(textOf(await signDismissal(leaving.signer, worker)));
    expect(dismissed).toEqual({ worker, state: "dismissed", connectionsEnd: "later" });
    expect([(await decidedOf("approve"))[0], (await decidedOf("revoke"))[0]]).toEqual([waiting.operator, revoked.id]);
    const out = [rotating, revoked, leaving];
    expect(out.map(({ refusals }) => refusals)).toEqual([[], [], []]);

    await network.startNats();
    await expect.poll(() => out.every(({ refusals }) => refusals.length > 0), { timeout: 60_000 }).toBe(true);
    expect(await admin.decide((await network.enrol("Ole")).id, { decision: "revoke", reason })).toMatchObject({ connectionsEnd: "now" });
    await replayLog(stranger);
  });
});
