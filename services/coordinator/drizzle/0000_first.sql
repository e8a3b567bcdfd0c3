CREATE TABLE "api_tokens" (
	"hash" text PRIMARY KEY NOT NULL,
	"project" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"revoked_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "entries" (
	"log_index" bigint PRIMARY KEY NOT NULL,
	"key" text NOT NULL,
	"kind" text NOT NULL,
	"digest" text NOT NULL,
	"round" text,
	"target" text,
	"operator" text,
	"envelope" "bytea" NOT NULL
);
--> statement-breakpoint
CREATE TABLE "jobs" (
	"job" text PRIMARY KEY NOT NULL,
	"round" text NOT NULL,
	"operator" text NOT NULL,
	"rank" integer NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"base_fence" integer DEFAULT 1 NOT NULL,
	"published_at" timestamp with time zone,
	"fence" integer DEFAULT 0 NOT NULL,
	"started_at" timestamp with time zone,
	"committed_at" timestamp with time zone,
	"commitment_index" bigint,
	"committed_envelope" text,
	"revealed_at" timestamp with time zone,
	"result_index" bigint,
	"outcome" text,
	"build_seconds" integer,
	"remark" text,
	"uploaded_bytes" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "jobs_result_needs_commitment" CHECK ("jobs"."result_index" is null or "jobs"."commitment_index" is not null)
);
--> statement-breakpoint
CREATE TABLE "operators" (
	"operator" text PRIMARY KEY NOT NULL,
	"enrolment" text NOT NULL,
	"name" text NOT NULL,
	"enrolled_index" bigint NOT NULL,
	"revoked_index" bigint,
	"enrolled_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "policies" (
	"digest" text PRIMARY KEY NOT NULL,
	"policy" text NOT NULL,
	"log_index" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "received_envelopes" (
	"job" text NOT NULL,
	"kind" text NOT NULL,
	"round" text NOT NULL,
	"fence" integer NOT NULL,
	"envelope" "bytea" NOT NULL,
	CONSTRAINT "received_envelopes_job_kind_pk" PRIMARY KEY("job","kind")
);
--> statement-breakpoint
CREATE TABLE "rounds" (
	"round" text PRIMARY KEY NOT NULL,
	"target" text NOT NULL,
	"attempt" integer NOT NULL,
	"policy" text NOT NULL,
	"state" text NOT NULL,
	"statement" text,
	"reason" text,
	"submitted_at" timestamp with time zone NOT NULL,
	"committee_drawn_at" timestamp with time zone,
	"commit_by" timestamp with time zone,
	"reveal_started_at" timestamp with time zone,
	"reveal_by" timestamp with time zone,
	"settled_at" timestamp with time zone,
	"failures" integer DEFAULT 0 NOT NULL,
	"next_try_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "submission_targets" (
	"submission" text NOT NULL,
	"target" text NOT NULL,
	"position" integer NOT NULL,
	CONSTRAINT "submission_targets_submission_target_pk" PRIMARY KEY("submission","target")
);
--> statement-breakpoint
CREATE TABLE "submissions" (
	"id" text PRIMARY KEY NOT NULL,
	"request" jsonb NOT NULL,
	"token" text NOT NULL,
	"submitted_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "targets" (
	"digest" text PRIMARY KEY NOT NULL,
	"target" text NOT NULL,
	"distribution" text NOT NULL,
	"suite" text NOT NULL,
	"source" text NOT NULL,
	"version" text NOT NULL,
	"architecture" text NOT NULL,
	"log_index" bigint,
	"seed_size" bigint,
	"seed_root" text
);
--> statement-breakpoint
CREATE TABLE "verdict_artifacts" (
	"verdict_index" bigint NOT NULL,
	"file" text NOT NULL,
	"sha256" text NOT NULL,
	"published" boolean NOT NULL,
	"target" text NOT NULL,
	"round" text NOT NULL,
	"package" text NOT NULL,
	"version" text NOT NULL,
	"architecture" text NOT NULL,
	"outcome" text NOT NULL,
	CONSTRAINT "verdict_artifacts_verdict_index_file_sha256_pk" PRIMARY KEY("verdict_index","file","sha256")
);
--> statement-breakpoint
CREATE TABLE "verdicts" (
	"round" text PRIMARY KEY NOT NULL,
	"target" text NOT NULL,
	"outcome" text NOT NULL,
	"verdict" text NOT NULL,
	"log_index" bigint NOT NULL
);
--> statement-breakpoint
ALTER TABLE "jobs" ADD CONSTRAINT "jobs_round_rounds_round_fk" FOREIGN KEY ("round") REFERENCES "public"."rounds"("round") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "jobs" ADD CONSTRAINT "jobs_operator_operators_operator_fk" FOREIGN KEY ("operator") REFERENCES "public"."operators"("operator") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "received_envelopes" ADD CONSTRAINT "received_envelopes_job_jobs_job_fk" FOREIGN KEY ("job") REFERENCES "public"."jobs"("job") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "rounds" ADD CONSTRAINT "rounds_target_targets_digest_fk" FOREIGN KEY ("target") REFERENCES "public"."targets"("digest") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "submission_targets" ADD CONSTRAINT "submission_targets_submission_submissions_id_fk" FOREIGN KEY ("submission") REFERENCES "public"."submissions"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "submission_targets" ADD CONSTRAINT "submission_targets_target_targets_digest_fk" FOREIGN KEY ("target") REFERENCES "public"."targets"("digest") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "verdicts" ADD CONSTRAINT "verdicts_round_rounds_round_fk" FOREIGN KEY ("round") REFERENCES "public"."rounds"("round") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "verdicts" ADD CONSTRAINT "verdicts_target_targets_digest_fk" FOREIGN KEY ("target") REFERENCES "public"."targets"("digest") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "entries_key" ON "entries" USING btree ("key");--> statement-breakpoint
CREATE INDEX "entries_round" ON "entries" USING btree ("round");--> statement-breakpoint
CREATE INDEX "entries_target" ON "entries" USING btree ("target");--> statement-breakpoint
CREATE INDEX "entries_operator" ON "entries" USING btree ("operator");--> statement-breakpoint
CREATE UNIQUE INDEX "jobs_round_operator" ON "jobs" USING btree ("round","operator");--> statement-breakpoint
CREATE INDEX "jobs_history" ON "jobs" USING btree ("operator","revealed_at");--> statement-breakpoint
CREATE INDEX "received_envelopes_round" ON "received_envelopes" USING btree ("round");--> statement-breakpoint
CREATE UNIQUE INDEX "rounds_target_attempt" ON "rounds" USING btree ("target","attempt");--> statement-breakpoint
CREATE INDEX "rounds_unsettled" ON "rounds" USING btree ("state") WHERE "rounds"."state" <> 'settled';--> statement-breakpoint
CREATE INDEX "rounds_submitted" ON "rounds" USING btree ("submitted_at");--> statement-breakpoint
CREATE INDEX "submission_targets_target" ON "submission_targets" USING btree ("target");--> statement-breakpoint
CREATE INDEX "targets_source" ON "targets" USING btree ("source","version");--> statement-breakpoint
CREATE INDEX "verdict_artifacts_sha256" ON "verdict_artifacts" USING btree ("sha256");--> statement-breakpoint
CREATE INDEX "verdict_artifacts_package" ON "verdict_artifacts" USING btree ("package","version");--> statement-breakpoint
CREATE INDEX "verdicts_target" ON "verdicts" USING btree ("target");--> statement-breakpoint
CREATE UNIQUE INDEX "verdicts_log_index" ON "verdicts" USING btree ("log_index");