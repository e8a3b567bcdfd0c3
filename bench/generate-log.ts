import { GeneratedNetwork } from "./generated-network.ts";
import { type Oddity, generateRound } from "./generated-round.ts";

const roundsAtOnce = 16;

/**
 * Writes the data directory of a stopped network whose log has at least `entries` entries: an archive rebuilt package by package, three of
 * seven operators a package, sixteen rounds at a time, everything really signed. In one of twenty rounds an operator gets other bytes, in
 * one of a hundred each all do, one fails, or one never reveals; one of two hundred targets gets a second round, and half-way an operator
 * changes its key. The same number gives the same statements but for what hangs on signatures: OpenSSL draws their nonces, and committees
 * are drawn from the tree that they are in.
 *
 * @returns how many entries and signatures the log has
 */
export function generateLog(directory: string, entries: number): { entries: number; signatures: number } {
  const network = new GeneratedNetwork(directory);
  const first = runRounds(network, 0, entries / 2);
  network.changeKey("alder");
  runRounds(network, first, entries);
  network.publish();
  return { entries: network.log.tree.size, signatures: network.signatures };
}

/** Rounds from number `next` on, until the log has `size` entries and no round is open. @returns the number of the one after the last */
function runRounds(network: GeneratedNetwork, next: number, size: number): number {
  const open = new Set<Generator<undefined, number>>();
  let number = next;
  do {
    if (open.size < roundsAtOnce && network.log.tree.size < size) open.add(rebuild(network, number++));
    for (const round of open) if (round.next().done) open.delete(round);
  } while (open.size > 0);
  return number;
}

function* rebuild(network: GeneratedNetwork, number: number): Generator<undefined, number> {
  const oddity = oddityOf(number);
  const earlierVerdict = yield* generateRound(network, { number, ...(oddity && { oddity }) });
  return number % 200 === 7 ? yield* generateRound(network, { number, earlierVerdict }) : earlierVerdict;
}

function oddityOf(number: number): Oddity | undefined {
  if (number % 20 === 3) return "one-differs";
  if (number % 100 === 11) return "one-fails";
  if (number % 100 === 51) return "one-hides";
  return number % 100 === 77 ? "all-differ" : undefined;
}
