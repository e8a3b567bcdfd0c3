CREATE TABLE "artifact_statuses" (
	"says" text NOT NULL,
	"artifact" integer NOT NULL,
	"status" text NOT NULL,
	"entry" bigint NOT NULL,
	"result" bigint,
	"linked" boolean NOT NULL,
	"stated_at" timestamp with time zone NOT NULL,
	CONSTRAINT "artifact_statuses_says_artifact_pk" PRIMARY KEY("says","artifact")
);
--> statement-breakpoint
CREATE TABLE "published_artifacts" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "published_artifacts_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"source" integer NOT NULL,
	"file" text NOT NULL,
	"path" text NOT NULL,
	"package" text NOT NULL,
	"version" text NOT NULL,
	"architecture" text NOT NULL,
	"sha256" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "published_sources" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "published_sources_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"distribution" text NOT NULL,
	"suite" text NOT NULL,
	"component" text NOT NULL,
	"name" text NOT NULL,
	"version" text NOT NULL,
	"seen_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "artifact_statuses" ADD CONSTRAINT "artifact_statuses_artifact_published_artifacts_id_fk" FOREIGN KEY ("artifact") REFERENCES "public"."published_artifacts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "published_artifacts" ADD CONSTRAINT "published_artifacts_source_published_sources_id_fk" FOREIGN KEY ("source") REFERENCES "public"."published_sources"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "artifact_statuses_artifact" ON "artifact_statuses" USING btree ("artifact","result");--> statement-breakpoint
CREATE UNIQUE INDEX "published_artifacts_file" ON "published_artifacts" USING btree ("source","file","sha256");--> statement-breakpoint
CREATE INDEX "published_artifacts_package" ON "published_artifacts" USING btree ("package","version");--> statement-breakpoint
CREATE UNIQUE INDEX "published_sources_name" ON "published_sources" USING btree ("distribution","suite","name","version");