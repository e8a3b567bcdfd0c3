/** Ends a `switch` over a closed union: the compiler refuses a call while a case is missing. */
export function unreachable(value: never): never {
  throw new Error(`unreachable case: ${JSON.stringify(value)}`);
}
