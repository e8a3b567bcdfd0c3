import { bigint, customType, timestamp } from "drizzle-orm/pg-core";

export const bytes = customType<{ data: Uint8Array; driverData: Buffer }>({
  dataType: () => "bytea",
  toDriver: (value) => Buffer.from(value.buffer, value.byteOffset, value.byteLength),
  fromDriver: (value) => new Uint8Array(value.buffer, value.byteOffset, value.byteLength),
});

/** A moment, to the millisecond. */
export const time = (name: string) => timestamp(name, { withTimezone: true, mode: "date" });

/** An index of the log: those that a double cannot hold are far away. */
export const logIndex = (name: string) => bigint(name, { mode: "number" });
