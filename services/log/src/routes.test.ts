import { join } from "node:path";
import { createHttpApp } from "@quorate/service/http-app";
import { silentLogger } from "@quorate/service/logger";
import { Metrics } from "@quorate/service/metrics";
import { createNoteKey } from "@quorate/signing/note-key";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { expect, onTestFinished, test } from "vitest";
import { createLogEvents } from "./events.ts";
import { formatKeyedEntries } from "./keyed-entries.ts";
import { SqliteLockStore } from "./lock-store.ts";
import { LockStoreCheck } from "./lock-store-check.ts";
import { openLog } from "./open-log.ts";
import { Pool } from "./pool.ts";
import { Publisher } from "./publisher.ts";
import { addAppendRoutes } from "./routes.ts";
import { scratchDirectory } from "./scratch-directory.fixture.ts";
import { Sequencer } from "./sequencer.ts";
import { JournalStaging } from "./staging.ts";
import { DirectoryTileStore } from "./tile-store.ts";

const token = "a-token-of-the-tests";

/** A log without witnesses whose sequencer runs when the test says so. */
async function startRoutes() {
  const stack = new AsyncDisposableStack();
  onTestFinished(() => stack.disposeAsync());
  const { path } = stack.use(await scratchDirectory());
  const signer = createNoteKey(join(path, "key"), "log.example", "ed25519");
  const policy = { logs: [{ key: signer.key }], witnesses: [], groups: [], quorum: "none" };
  const events = createLogEvents(silentLogger, new Metrics());
  const lock = stack.use(new SqliteLockStore(join(path, "lock.sqlite")));
  const lockCheck = stack.use(new LockStoreCheck(join(path, "lock.sqlite"), events));
  const store = new DirectoryTileStore(join(path, "public"));
  const { staging, records } = await JournalStaging.open(join(path, "journal"), store);
  stack.use(staging);
  const { edge, head, newest, published } = await openLog({ lock, store, records }, { signer, policy, now: Date.now, events });
  const fail = (error: unknown) => {
    throw error;
  };
  const publishing = {
    staging,
    store,
    logKey: signer.key,
    policy,
    witnesses: [],
    paceMilliseconds: 0,
    witnessMilliseconds: 1_000,
    events,
    fail,
  };
  const publisher = stack.use(new Publisher(publishing, { newest, published }));
  publisher.start();
  const pool = new Pool();
  const onSigned = publisher.offer.bind(publisher);
  const sequencer = new Sequencer(
    { pool, staging, lock, store, signers: { signer }, events, now: Date.now, onSigned, fail },
    { edge, head },
  );
  const app = createHttpApp({ logger: silentLogger });
  stack.defer(() => app.close());
  addAppendRoutes(app, token, { underWay: new Map(), pool, lock, lockCheck, sequencer, publisher, store, events });
  const post = (url: string, body: Uint8Array, key = "key") =>
    app.inject({
      method: "POST",
      url,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/octet-stream", "idempotency-key": key },
      payload: Buffer.from(body),
    });
  return { pool, sequencer, post };
}

const entry = (key: string) => ({ key, bytes: Buffer.from(`entry of ${key}`) });

test("while the pool is full an entry is refused with 503 and Retry-After, and taken when there is room again", async () => {
  const { pool, sequencer, post } = await startRoutes();
  for (let number = 0; pool.add({ ...entry(`${number}`), leafHash: nodeHasher.leaf(entry(`${number}`).bytes) }); number += 1);
  const refused = await post("/add?wait=sequenced", Buffer.from("one more"));
  expect(refused.statusCode).toBe(503);
  expect(refused.headers["retry-after"]).toBe("1");
  expect(refused.json()).toMatchObject({ type: "https://quorate.dev/problems/pool-full" });
  const several = await post("/add-entries", formatKeyedEntries([entry("a"), entry("b")]));
  expect([several.statusCode, several.headers["retry-after"]]).toEqual([503, "1"]);
  sequencer.wake();
  await sequencer.idle();
  expect((await post("/add?wait=sequenced", Buffer.from("one more"))).json()).toMatchObject({ index: 16_384, duplicate: false });
});

test("entries of one request have each its own key: again or in another request they keep their indices", async () => {
  const { post } = await startRoutes();
  const first = await post("/add-entries", formatKeyedEntries([entry("a"), entry("b"), entry("a")]));
  const { entries, checkpoint } = first.json();
  expect(entries.map(({ index }: { index: number }) => index)).toEqual([0, 1, 0]);
  expect(entries.map(({ duplicate }: { duplicate: boolean }) => duplicate)).toEqual([false, false, true]);
  expect(checkpoint).toMatch(/^log\.example\n2\n/);
  expect((await post("/add", Buffer.from("other bytes"), "b")).json()).toMatchObject({ index: 1, duplicate: true });
  const again = await post("/add-entries?wait=sequenced", formatKeyedEntries([entry("c"), entry("b")]));
  expect(again.json().entries).toMatchObject([
    { index: 2, duplicate: false },
    { index: 1, duplicate: true },
  ]);
  expect(again.json().checkpoint).toBeUndefined();
});

test("of a request that is no bundle of keys and entries nothing is appended", async () => {
  const { pool, post } = await startRoutes();
  const whole = formatKeyedEntries([entry("a"), entry("b")]);
  const cut = await post("/add-entries", whole.subarray(0, -1));
  expect(cut.statusCode).toBe(400);
  expect(cut.json().detail).toMatch(/cut at byte .*pairs of key and entry/);
  expect(pool.waiting).toBe(0);
  expect((await post("/add-entries", whole)).json().entries).toMatchObject([{ index: 0 }, { index: 1 }]);
});
