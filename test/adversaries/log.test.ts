import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { utf8 } from "@quorate/protocol/utf8";
import { parseTlogPolicy } from "@quorate/tlog/tlog-policy";
import { expect, test } from "vitest";
import { append, LogConstellation } from "../integration/log-constellation.ts";
import { quorate } from "../quorate.ts";

const alertsIn = (stdout: string): { kind: string; place: string; evidence?: string }[] =>
  stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

test("two-histories", async () => {
  await using constellation = await LogConstellation.start({ witnesses: 2, quorum: 1 });
  const { directory, policyText, config } = constellation;
  const policyFile = join(directory, "policy");
  await writeFile(policyFile, policyText);
  // One key, two logs: each is shown to a witness of its own, which is as many as a reader of this policy asks for.
  const history = (own: string, other: string) => {
    const ownPolicy = policyText.replace(new RegExp(`^witness ${other} .*\n`, "m"), "").replace(/^group .*$/m, `group witnesses 1 ${own}`);
    const stores = { kind: "directory", path: join(directory, `log-of-${own}`) } as const;
    return constellation.startLog({ stores, policy: parseTlogPolicy(ownPolicy) });
  };
  await using toMirrors = await history("w1", "w2");
  await using toMonitors = await history("w2", "w1");
  for (const [log, name, count] of [
    [toMirrors, "one", 5],
    [toMonitors, "another", 9],
  ] as const) {
    for (let number = 0; number < count; number += 1)
      expect(await append(log.url, `key/${number}`, utf8(`${number < 3 ? "common" : name} ${number}`))).toMatchObject({ status: 200 });
  }
  const mirror = join(directory, "mirror");
  const withPolicy = ["--policy", policyFile];
  expect(await quorate(["log", "mirror", mirror, "--log", toMirrors.url, ...withPolicy])).toMatchObject({ code: 0 });
  for (const url of [toMirrors.url, toMonitors.url, mirror]) {
    expect(await quorate(["log", "fsck", "--log", url, ...withPolicy])).toMatchObject({ code: 0 });
  }

  const watch = ["monitor", join(directory, "watch"), "--log", toMonitors.url, "--mirror", mirror, ...withPolicy, "--once", "--json"];
  const looked = await quorate(watch);
  expect(looked.code).toBe(2);
  const alerts = alertsIn(looked.stdout);
  expect(alerts.map(({ kind, place }) => [kind, place])).toEqual([
    ["equivocation", `file://${mirror}`],
    ["equivocation", "witness w1"],
  ]);
  for (const { evidence = "" } of alerts) {
    const verified = await quorate(["verify-evidence", evidence, ...withPolicy, "--json"], { offline: true });
    expect(verified).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(verified.stdout)).toMatchObject({
      equivocated: true,
      origin: config.signer.key.name,
      checkpoints: [{ size: 5 }, { size: 9 }],
    });
  }
});
