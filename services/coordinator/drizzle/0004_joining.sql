CREATE TABLE "operator_rotations" (
	"log_index" bigint PRIMARY KEY NOT NULL,
	"operator" text NOT NULL,
	"rotation" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "operator_statements" (
	"key" text PRIMARY KEY NOT NULL,
	"operator" text NOT NULL,
	"state" text NOT NULL,
	"envelope" "bytea" NOT NULL,
	"reason" text,
	"received_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "workers" (
	"worker" text PRIMARY KEY NOT NULL,
	"operator" text NOT NULL,
	"name" text NOT NULL,
	"capabilities" text NOT NULL,
	"registered_at" timestamp with time zone NOT NULL,
	"renewed_at" timestamp with time zone NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"revoked_before" timestamp with time zone,
	"dismissed_at" timestamp with time zone
);
--> statement-breakpoint
ALTER TABLE "operator_rotations" ADD CONSTRAINT "operator_rotations_operator_operators_operator_fk" FOREIGN KEY ("operator") REFERENCES "public"."operators"("operator") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workers" ADD CONSTRAINT "workers_operator_operators_operator_fk" FOREIGN KEY ("operator") REFERENCES "public"."operators"("operator") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "operator_rotations_operator" ON "operator_rotations" USING btree ("operator");--> statement-breakpoint
CREATE INDEX "operator_statements_operator" ON "operator_statements" USING btree ("operator");--> statement-breakpoint
CREATE INDEX "operator_statements_state" ON "operator_statements" USING btree ("state");--> statement-breakpoint
CREATE INDEX "workers_operator" ON "workers" USING btree ("operator");