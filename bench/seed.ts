import { parseArgs } from "node:util";
import { largeNetwork } from "./large-network.ts";
import { seedLarge } from "./seed-large.ts";

const help = `npm run seed:large -- [--database URL] [--site DIRECTORY]

Fills an empty database of a coordinator (PostgreSQL), and an empty data directory of a site, with ${largeNetwork.targets} targets and
${largeNetwork.targets * largeNetwork.resultsEach} results, to look at pages and the API as they are when there is much to show.

  createdb large && npm run seed:large -- --database postgres:///large --site /tmp/large-site`;

const { values } = parseArgs({
  options: { database: { type: "string" }, site: { type: "string" }, help: { type: "boolean", default: false } },
});
if (values.help || (values.database === undefined && values.site === undefined)) {
  console.error(help);
  process.exit(values.help ? 0 : 2);
}
await seedLarge({
  databaseUrl: values.database,
  readModelDirectory: values.site,
  onRound(what, done) {
    if (done % 10_000 === 0 || done === largeNetwork.targets) console.error(`seed: ${what}, ${done} of ${largeNetwork.targets} targets`);
  },
});
