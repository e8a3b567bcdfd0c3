import { expect, it } from "vitest";
import { suiteOf } from "./host-suite.ts";

it("reads the suite of a Debian host, and of no other", () => {
  expect(suiteOf('PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_CODENAME=bookworm\nID=debian\n')).toBe("bookworm");
  expect(suiteOf('ID=ubuntu\nID_LIKE=debian\nVERSION_CODENAME="noble"\n')).toBeUndefined();
  expect(suiteOf("ID=debian\n")).toBeUndefined();
});
