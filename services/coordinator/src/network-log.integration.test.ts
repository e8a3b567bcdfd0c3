import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createLogReader } from "@quorate/client/log-reader";
import { createLogWriter } from "@quorate/client/log-writer";
import { defaultPolicy } from "@quorate/protocol/policy";
import { createP256Key } from "@quorate/signing/p256-key";
import { parseVkey } from "@quorate/tlog/note";
import { parseTlogPolicy } from "@quorate/tlog/tlog-policy";
import { expect, test } from "vitest";
import { createNetworkLog } from "./network-log.ts";
import { startLogWithWitnesses, temporaryDirectory } from "./servers.fixture.ts";

test("whoever repeats an append gets what was logged first, though it was signed anew and says something else", async () => {
  await using resources = new AsyncDisposableStack();
  const directory = await temporaryDirectory("network-log");
  await mkdir(directory, { recursive: true });
  const served = await startLogWithWitnesses((name) => join(directory, name), resources);
  const log = createNetworkLog({
    writer: createLogWriter({ url: served.url, token: served.token }),
    reader: createLogReader({ url: served.url, logKey: parseVkey(served.vkey) }),
    witnessPolicy: parseTlogPolicy(served.policy),
    networkKey: createP256Key(join(directory, "network.key")),
  });
  const first = await log.appendSigned({ kind: "policy", policy: defaultPolicy }, { key: "policy/x", wait: "sequenced" });
  expect(first.published).toBeUndefined();
  const again = await log.appendSigned(
    { kind: "policy", policy: { ...defaultPolicy, threshold: 3 } },
    { key: "policy/x", wait: "published" },
  );
  expect(again.entry).toEqual(first.entry);
  expect(again.statement.policy).toEqual(defaultPolicy);
  expect(again.published?.size).toBeGreaterThan(first.entry.index);
});
