import type { SmallSource } from "./small-archive.ts";

const writesIntermediates = "mkdir -p work && for i in 0 1 2 3 4 5 6 7 8 9; do echo intermediate $i > work/$i.o; done";
const installs = (text: string) => ["mkdir -p $D/usr/share/sample", `${text} > $D/usr/share/sample/text`];

/** Sources that show each kind of verdict. They need nothing beyond a base chroot. */
export const samples = {
  /** Rebuilds to the published bytes; leaves ten intermediate files for the build trace. */
  steady: {
    source: "sample-steady",
    version: "1.2",
    architecture: "all",
    build: [writesIntermediates],
    install: installs("echo steady"),
  },
  /** The published binary was made from something else; all rebuilds agree with each other. */
  drifted: {
    source: "sample-drifted",
    version: "2.0",
    architecture: "all",
    tree: { toolchain: "today\n" },
    publishedTree: { toolchain: "yesterday\n" },
    install: installs("cat toolchain"),
  },
  /** Differs at every build, in what it installs and in an intermediate file. */
  random: {
    source: "sample-random",
    version: "0.1",
    architecture: "all",
    build: ["mkdir -p work && head -c 32 /dev/urandom > work/random.o"],
    install: installs("head -c 32 /dev/urandom | base64"),
  },
  /** The published source does not build. */
  broken: {
    source: "sample-broken",
    version: "1.0",
    architecture: "all",
    publishedTree: { works: "yes\n" },
    build: ["test -e works"],
  },
  /** Builds for some seconds: long enough to be interrupted. The published binary did not wait. */
  slow: {
    source: "sample-slow",
    version: "3.0",
    architecture: "all",
    tree: { wait: "sleep 15\n" },
    publishedTree: { wait: "true\n" },
    build: ["sh wait"],
  },
  /** Built for the machine, and once more by the distribution without a change of the source. */
  renumbered: { source: "sample-renumbered", version: "4.0", architecture: "any", binNmu: 1 },
} as const satisfies Record<string, SmallSource>;
