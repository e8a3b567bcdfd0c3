import { defineConfig } from "drizzle-kit";

/** `npm run migrations`: writes the migration from the last snapshot in drizzle/ to the tables in src/. */
export default defineConfig({
  dialect: "postgresql",
  schema: ["./src/schema.ts", "./src/administration-tables.ts", "./src/webhook-tables.ts"],
  out: "./drizzle",
});
