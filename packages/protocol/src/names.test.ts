import { expect, test } from "vitest";
import {
  archivePathSchema,
  fileNameSchema,
  hostnameSchema,
  lineSchema,
  packageNameSchema,
  packageVersionSchema,
  timeSchema,
} from "./names.ts";

test.each([
  [packageNameSchema, ["g++", "libstdc++6", "0ad", "python3.11"], ["", "A", "a", "-x", "x y", "../x", "x\n"]],
  [packageVersionSchema, ["1.14-6", "2:4.5+dfsg~rc1-1+deb12u1", "12.4+deb12u15", "1.2+b1"], ["", " 1", "1 2", "1/2", "1\n", ":1"]],
  [fileNameSchema, ["mailgraph_1.14-20_all.deb", "g++_4%3a12.2.0-3_amd64.deb"], ["", ".", "..", "a/b", ".hidden", "a\0b", "a\n"]],
  [archivePathSchema, ["pool/main/m/mailgraph", "a/b.c/d+e~1"], ["", "/a", "a//b", "a/../b", "..", "a/.", "a/", "a b", "a\n"]],
  [lineSchema(10), ["abc", "ünïcode"], ["", "a\nb", "a\u001bb", "a\u202eb", "a\u2028b", "12345678901"]],
  [
    hostnameSchema,
    ["alder.localhost", "a1-b.rebuild.example.org", "xn--bcher-kva.example"],
    ["", "localhost", "192.0.2.7", "2001:db8::1", "A.example", "-a.example", "a-.example", "a..example", "a.example.", "a.example\n"],
  ],
  [timeSchema, ["2026-11-23T08:00:00Z"], ["2026-11-23T08:00:00.1Z", "2026-11-23 08:00:00Z", "2026-11-23T08:00:00+01:00"]],
])("schema %# takes the good and refuses the bad", (schema, good, bad) => {
  for (const text of good) expect(schema.safeParse(text), text).toMatchObject({ success: true });
  for (const text of bad) expect(schema.safeParse(text), JSON.stringify(text)).toMatchObject({ success: false });
});
