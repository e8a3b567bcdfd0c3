ALTER TABLE "jobs" ADD COLUMN "standing" text;--> statement-breakpoint
ALTER TABLE "jobs" ADD COLUMN "dissents" boolean DEFAULT false NOT NULL;--> statement-breakpoint
CREATE INDEX "jobs_exceptions" ON "jobs" USING btree ("operator","created_at") WHERE ("jobs"."dissents" or "jobs"."standing" <> 'counted' or ("jobs"."committed_at" is not null and "jobs"."result_index" is null));