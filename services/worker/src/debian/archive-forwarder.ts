import { writeSync } from "node:fs";
import { connect, createServer } from "node:net";

/**
 * A program, started inside a sandbox's network namespace: it passes connections to loopback on to a unix socket of the host, where the
 * pinned archive listens. That socket is all of the outside world that can be reached from in there.
 *
 * Arguments: the directory in which the unix socket `socket` is, the port.
 */
const [directory, port] = process.argv.slice(2);
if (directory === undefined || port === undefined) throw new Error("usage: archive-forwarder DIRECTORY PORT");
process.chdir(directory);

const server = createServer((inside) => {
  const outside = connect("socket");
  inside.pipe(outside).pipe(inside);
  inside.on("error", () => outside.destroy());
  outside.on("error", () => inside.destroy());
});
server.listen(Number(port), "127.0.0.1", () => writeSync(4, "forwarding\n"));
