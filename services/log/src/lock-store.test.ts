import { join } from "node:path";
import { SqliteLockStore } from "./lock-store.ts";
import { testLockStore } from "./lock-store-promises.fixture.ts";
import { scratchDirectory } from "./scratch-directory.fixture.ts";

testLockStore(async () => {
  const scratch = await scratchDirectory();
  return {
    open: async () => new SqliteLockStore(join(scratch.path, "lock.sqlite")),
    [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose](),
  };
});
