import { ParseError } from "@quorate/protocol/parse-error";

/** A range of a process's memory that may be executed. */
export type CodeMapping = {
  readonly startAddress: number;
  readonly endAddress: number;
  readonly isWritable: boolean;
  /** Where in the file it begins. */
  readonly offsetBytes: number;
  /** Device and inode of the file, as the kernel writes them; `undefined` for memory of no file. */
  readonly file: string | undefined;
  /** As the process sees it, or what the kernel calls the memory, such as `[heap]`. */
  readonly path: string;
  readonly isDeleted: boolean;
};

const codeLine = /^([0-9a-f]+)-([0-9a-f]+) [r-]([w-])x[ps] ([0-9a-f]+) ([0-9a-f]+:[0-9a-f]+) (\d+) *(.*)$/s;
const anyLine = /^[0-9a-f]+-[0-9a-f]+ [r-][w-][x-][ps] [0-9a-f]+ [0-9a-f]+:[0-9a-f]+ \d+/;
const deletedMark = " (deleted)";

/** The kernel's own code, the same in every process. */
const kernelMappings = new Set(["[vdso]", "[vsyscall]", "[uprobes]"]);

/**
 * The executable ranges of `/proc/PID/maps`, proc_pid_maps(5), without the kernel's own. A line feed in a path is written `\012`, and
 * other characters that end lines are as they are.
 *
 *     7f2c6a000000-7f2c6a155000 r-xp 00026000 08:01 131 /usr/lib/x86_64-linux-gnu/libc.so.6 (deleted)
 *
 * @throws ParseError
 */
export function parseCodeMappings(text: string): CodeMapping[] {
  if (text !== "" && !anyLine.test(text)) throw new ParseError("maps of a process", text.slice(0, 200));
  return text.split("\n").flatMap((line): CodeMapping[] => {
    const [, start, end = "", write, offset = "", device = "", inode = "", name = ""] = codeLine.exec(line) ?? [];
    if (start === undefined || kernelMappings.has(name)) return [];
    const isDeleted = name.endsWith(deletedMark);
    const path = (isDeleted ? name.slice(0, -deletedMark.length) : name).replaceAll("\\012", "\n");
    const startAddress = Number.parseInt(start, 16);
    return [
      {
        startAddress,
        endAddress: Number.parseInt(end, 16),
        isWritable: write === "w",
        offsetBytes: Number.parseInt(offset, 16),
        file: inode === "0" ? undefined : `${device}:${inode}`,
        path: path === "" ? "[anonymous]" : path,
        isDeleted,
      },
    ];
  });
}

/** The name of a mapping below `/proc/PID/map_files`. */
export function mappingName({ startAddress, endAddress }: CodeMapping): string {
  return `${startAddress.toString(16)}-${endAddress.toString(16)}`;
}
