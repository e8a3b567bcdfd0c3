import { expect, it } from "vitest";
import { parseOfflineVerification } from "./command-line.ts";

it("takes verify with a proof and a policy, in any order", () => {
  const options = { proof: "p.json", policy: "policy" };
  expect(parseOfflineVerification(["verify", "x.deb", "--proof", "p.json", "--policy", "policy"])).toEqual({ file: "x.deb", options });
  expect(parseOfflineVerification(["verify", "--policy=policy", "--json", "--proof=p.json", "x.deb"])).toEqual({
    file: "x.deb",
    options: { ...options, json: true },
  });
});

it.each([
  [["proof", "x.deb"]],
  [["verify", "x.deb"]],
  [["verify", "x.deb", "--proof", "p.json"]],
  [["verify", "--help", "x.deb", "--proof", "p", "--policy", "q"]],
  [["verify", "x.deb", "y.deb", "--proof", "p", "--policy", "q"]],
  [["verify", "x.deb", "--proof", "p", "--policy"]],
  [[]],
])("leaves %j to the program of all commands", (argv) => {
  expect(parseOfflineVerification(argv)).toBeUndefined();
});
