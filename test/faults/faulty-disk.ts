/**
 * Loaded with `--import` before a service: counts what it does to its storage through Node's own functions, and at the step of the plan in
 * FAULT_PLAN does what the fault says. The service is the real one; so are its death and the error codes that it sees.
 */
import "./faulty-databases.ts";
import "./faulty-files.ts";
import "./faulty-programs.ts";
