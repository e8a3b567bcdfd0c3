import { registerHooks } from "node:module";

/**
 * Leaves out what no command uses and every command would load: zod's translations of its messages, a third of all modules. From then on
 * zod's own import of them is an empty module.
 */
export function loadLean(): void {
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === "../locales/index.js" && context.parentURL?.includes("/zod/")
        ? { url: "data:text/javascript,", format: "module", shortCircuit: true }
        : next(specifier, context),
  });
}
