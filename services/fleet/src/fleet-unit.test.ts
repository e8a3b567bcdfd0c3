import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { loadFleetConfig } from "./config.ts";

const root = new URL("../../../", import.meta.url);
const unit = readFileSync(new URL("deploy/systemd/quorate-fleet.service", root), "utf8");
const valueOf = (name: string): string => new RegExp(`^${name}=(.*)$`, "m").exec(unit)?.[1] ?? "";

test("the unit starts the service that there is, and sets what it needs but its token", () => {
  const [node, main = ""] = valueOf("ExecStart").split(" ");
  expect(node).toBe("/opt/quorate/node_modules/.bin/node");
  expect(existsSync(new URL(main.replace("/opt/quorate/", ""), root))).toBe(true);
  const variables = valueOf("Environment")
    .split(" ")
    .map((one): [string, string] => [one.slice(0, one.indexOf("=")), one.slice(one.indexOf("=") + 1)]);
  const environment = Object.fromEntries(variables);
  expect(loadFleetConfig({ ...environment, FLEET_TOKEN: "administrators-only" }).dataDirectory).toBe(
    `/var/lib/${valueOf("StateDirectory")}`,
  );
  expect(() => loadFleetConfig(environment)).toThrow("FLEET_TOKEN");
});
