import { parseArgs } from "node:util";
import { everyFormat } from "../formats/every-format.ts";
import { type Fuzzed, fuzzFormat } from "./fuzz-format.ts";

const limitMilliseconds = 50;

const help = `npm run fuzz [-- --inputs N] [--seed N] [--format NAME] [--json]

Feeds every parser of outside input with mutated vectors. A parser may return or refuse; any other error, or more than
${limitMilliseconds} ms for one input, fails, with the seed and the input that lead to it.

  npm run fuzz                                    1,000,000 inputs in all, a new seed
  npm run fuzz -- --seed 7 --format "tlog-proof"  one format, as before
  npm run fuzz -- --json                          one object a format`;

const { values } = parseArgs({
  options: {
    inputs: { type: "string", default: "1000000" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
    format: { type: "string" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(help);
  process.exit(0);
}
const formats = everyFormat.filter(({ name }) => values.format === undefined || name === values.format);
const [total, seed] = [Number(values.inputs), Number(values.seed)];
if (formats.length === 0 || !Number.isSafeInteger(total) || !Number.isSafeInteger(seed) || total < formats.length) {
  console.error(`fuzz: no such format, or no such number\n\n${help}\n\nformats: ${everyFormat.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}

const failures: string[] = [];
const startedAt = performance.now();
let done = 0;
if (!values.json) console.log(`fuzz: ${total} inputs over ${formats.length} formats, seed ${seed}`);
for (const [at, format] of formats.entries()) {
  const inputs = Math.floor(total / formats.length) + (at < total % formats.length ? 1 : 0);
  try {
    const fuzzed = await fuzzFormat(format, { inputs, seed, limitMilliseconds });
    done += inputs;
    console.log(values.json ? JSON.stringify({ ...fuzzed, seed }) : lineOf(fuzzed));
  } catch (error) {
    failures.push(format.name);
    console.error(error);
  }
}
const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
if (!values.json)
  console.log(`fuzz: ${done} inputs in ${seconds} s; ${failures.length === 0 ? "no parser failed" : `failed: ${failures.join(", ")}`}`);
process.exitCode = failures.length === 0 ? 0 : 1;

function lineOf({ format, inputs, parsed, refused, slowestMilliseconds }: Fuzzed): string {
  return `${format.padEnd(32)} ${inputs} inputs: ${parsed} parsed, ${refused} refused; slowest ${slowestMilliseconds.toFixed(1)} ms`;
}
