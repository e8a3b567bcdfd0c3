import { defineConfig } from "drizzle-kit";

/** `npm run migrations`: writes the migration from the last snapshot in drizzle/ to src/schema.ts. */
export default defineConfig({ dialect: "postgresql", schema: "./src/schema.ts", out: "./drizzle" });
