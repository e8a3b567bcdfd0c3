DROP INDEX "submissions_token";--> statement-breakpoint
ALTER TABLE "api_tokens" DROP CONSTRAINT "api_tokens_pkey";--> statement-breakpoint
ALTER TABLE "api_tokens" ADD COLUMN "id" text PRIMARY KEY DEFAULT gen_random_uuid()::text NOT NULL;--> statement-breakpoint
ALTER TABLE "api_tokens" ALTER COLUMN "id" DROP DEFAULT;--> statement-breakpoint
ALTER TABLE "api_tokens" ADD COLUMN "scopes" text[] DEFAULT '{submit,read,webhooks}' NOT NULL;--> statement-breakpoint
ALTER TABLE "api_tokens" ALTER COLUMN "scopes" DROP DEFAULT;--> statement-breakpoint
ALTER TABLE "api_tokens" ADD COLUMN "expires_at" timestamp with time zone;--> statement-breakpoint
CREATE UNIQUE INDEX "api_tokens_hash" ON "api_tokens" USING btree ("hash");--> statement-breakpoint
ALTER TABLE "audit_entries" ADD COLUMN "project" text;--> statement-breakpoint
ALTER TABLE "submissions" ADD COLUMN "project" text;--> statement-breakpoint
UPDATE "submissions" SET "project" = "api_tokens"."project", "token" = "api_tokens"."id" FROM "api_tokens" WHERE "api_tokens"."hash" = "submissions"."token";--> statement-breakpoint
ALTER TABLE "submissions" ALTER COLUMN "project" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "submissions" ADD CONSTRAINT "submissions_token_api_tokens_id_fk" FOREIGN KEY ("token") REFERENCES "public"."api_tokens"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "audit_entries_project" ON "audit_entries" USING btree ("project","id");--> statement-breakpoint
CREATE INDEX "submissions_project" ON "submissions" USING btree ("project","submitted_at","id");