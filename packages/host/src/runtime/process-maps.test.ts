import fc from "fast-check";
import { expect, test } from "vitest";
import { mappingName, parseCodeMappings } from "./process-maps.ts";

const maps = [
  "55d0c8a00000-55d0c8a01000 r--p 00000000 08:01 131 /usr/bin/tool",
  "55d0c8a01000-55d0c8a06000 r-xp 00001000 08:01 131                       /usr/bin/tool",
  "7f2c6a000000-7f2c6a001000 rwxp 00000000 00:00 0 ",
  "7f2c6a100000-7f2c6a101000 --xp 00000000 00:01 2057                      /memfd:a b (deleted)",
  "7f2c6a200000-7f2c6a201000 r-xp 00000000 08:01 132                       /tmp/new\\012line",
  "7ffd1c5f2000-7ffd1c5f4000 r-xp 00000000 00:00 0                         [vdso]",
  "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                 [vsyscall]",
  "",
].join("\n");

test("what may be executed, without the kernel's own", () => {
  const common = { isWritable: false, isDeleted: false, offsetBytes: 0 };
  expect(parseCodeMappings(maps)).toEqual([
    { ...common, startAddress: 0x55d0c8a01000, endAddress: 0x55d0c8a06000, offsetBytes: 4096, file: "08:01:131", path: "/usr/bin/tool" },
    { ...common, startAddress: 0x7f2c6a000000, endAddress: 0x7f2c6a001000, isWritable: true, file: undefined, path: "[anonymous]" },
    { ...common, startAddress: 0x7f2c6a100000, endAddress: 0x7f2c6a101000, isDeleted: true, file: "00:01:2057", path: "/memfd:a b" },
    { ...common, startAddress: 0x7f2c6a200000, endAddress: 0x7f2c6a201000, file: "08:01:132", path: "/tmp/new\nline" },
  ]);
});

test("a mapping is named as below map_files, without leading zeros", () => {
  const [mapping] = parseCodeMappings("00400000-00401000 r-xp 00000000 08:01 131 /usr/bin/tool\n");
  expect(mapping && mappingName(mapping)).toBe("400000-401000");
});

test("whatever a file is called, it is one mapping", () => {
  const paths = fc.string({ minLength: 1 }).filter((path) => !/\n|\\012| \(deleted\)$/.test(path));
  fc.assert(
    fc.property(paths, (path) => {
      const text = `7f2c6a200000-7f2c6a201000 r-xp 00000000 08:01 132                       /${path}\n`;
      expect(parseCodeMappings(text)).toMatchObject([{ path: `/${path}` }]);
    }),
  );
});

test("a file's name is no mapping, whatever it holds", () => {
  const name = "/tmp/x\r400000-401000 r-xp 00000000 08:01 131 /usr/bin/tool";
  expect(parseCodeMappings(`7f2c6a200000-7f2c6a201000 r--p 00000000 08:01 132 ${name}\n`)).toEqual([]);
});

test("text that is no list of mappings is refused", () => {
  expect(() => parseCodeMappings("no maps\n")).toThrow("parsing maps of a process");
});
