import { z } from "zod";

// The site allows no code that is made from text. Each schema remembers what held when it was made: this comes before all of them.
z.config({ jitless: true });
