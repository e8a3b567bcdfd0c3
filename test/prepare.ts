import { basePackages } from "./base-packages.ts";

/** Set-up of `npm test`, the only part that uses the mirror: the packages that base chroots in tests are made of. */
const { directory, suite } = await basePackages();
console.error(`tests: base packages of ${suite} are in ${directory}`);
