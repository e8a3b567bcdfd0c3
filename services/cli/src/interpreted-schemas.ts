import { z } from "zod";

// For commands that use each schema a few times: compiling one takes longer than interpreting it. Each schema remembers what held when it
// was made, so this module comes before those that make them.
z.config({ jitless: true });
