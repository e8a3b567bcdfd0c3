/** Asks for an answer again when the last one is older than this; whoever asks in between is given that one. */
export function keepAnswer<Answer>(milliseconds: number, ask: () => Promise<Answer>): () => Promise<Answer> {
  let kept: { readonly at: number; readonly answer: Promise<Answer> } | undefined;
  return () => {
    if (kept === undefined || performance.now() - kept.at > milliseconds) kept = { at: performance.now(), answer: ask() };
    return kept.answer;
  };
}
