import { httpTextLimited } from "./http-text.ts";
import { ParseError } from "@quorate/protocol/parse-error";
import { verifyNoteSignature } from "@quorate/signing/note-key";
import type { Hash } from "@quorate/tlog/hash";
import { maxNoteBytes, parseNote } from "@quorate/tlog/note";
import type { NoteKey, NoteSignature } from "@quorate/tlog/note";
import { formatAddCheckpoint, parseTreeSize, verifyWitnessAnswer, witnessedCheckpointPath } from "@quorate/tlog/witness-request";
import { verifySigned } from "./signed-checkpoint.ts";
import type { SignedCheckpoint } from "./signed-checkpoint.ts";

/** A witness said no, or said nothing. `disagrees`: it knows another tree than this one, or says so. */
export class WitnessError extends Error {
  readonly witness: string;
  readonly disagrees: boolean;

  constructor(witness: string, message: string, more: { disagrees?: boolean; cause?: unknown } = {}) {
    super(`asking witness ${witness}: ${message}`, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = "WitnessError";
    this.witness = witness;
    this.disagrees = more.disagrees ?? false;
  }
}

export type CosignatureRequest = {
  readonly signed: SignedCheckpoint;
  /** The consistency proof from an older size to the checkpoint's. */
  readonly prove: (oldSize: number) => Promise<readonly Hash[]>;
  readonly signal: AbortSignal;
};

/** A request, the answer that names another size, and one more in case a second process of ours was between them. */
const maxAttempts = 3;

/** The client of one witness's C2SP tlog-witness interface. It remembers the size that the witness has, which a 409 corrects. */
export class WitnessClient {
  readonly name: string;
  readonly #key: NoteKey;
  readonly #url: string;
  #size = 0;

  constructor(witness: { name: string; key: NoteKey; url: string }) {
    this.name = witness.name;
    this.#key = witness.key;
    this.#url = witness.url.replace(/\/+$/, "");
  }

  /**
   * Has the witness cosign a checkpoint.
   * @throws WitnessError
   */
  async cosign({ signed, prove, signal }: CosignatureRequest): Promise<NoteSignature> {
    const { note, checkpoint } = signed;
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      const oldSize = Math.min(this.#size, checkpoint.size);
      const body = formatAddCheckpoint({ oldSize, proof: await prove(oldSize), noteText: note });
      const { status, text } = await this.#fetch("add-checkpoint", { method: "POST", body, signal });
      if (status === 200) {
        const { signature } = this.#understood(() =>
          verifyWitnessAnswer({ body: text, text: parseNote(note).text, key: this.#key, verify: verifyNoteSignature }),
        );
        this.#size = checkpoint.size;
        return signature;
      }
      const size = status === 409 ? treeSizeOrUndefined(text) : undefined;
      // A 409 that names no other size is about the root.
      if (size === undefined || size === oldSize) {
        throw new WitnessError(this.name, `it answered ${status} to old size ${oldSize}: ${text.slice(0, 300)}`, {
          disagrees: status === 422 || status === 409,
        });
      }
      this.#size = size;
      if (size > checkpoint.size) {
        throw new WitnessError(this.name, `it says that it has cosigned size ${size}, but this is ${checkpoint.size}`, { disagrees: true });
      }
    }
    throw new WitnessError(this.name, `it named ${maxAttempts} different sizes of what it has`);
  }

  /**
   * The newest checkpoint that the witness has seen, which must bear this log's signature to say anything; undefined when there is none.
   * @throws WitnessError
   */
  async seen(logKey: NoteKey, signal: AbortSignal): Promise<SignedCheckpoint | undefined> {
    const { status, text } = await this.#fetch(witnessedCheckpointPath(logKey.name), { signal });
    if (status === 404) return undefined;
    if (status !== 200) throw new WitnessError(this.name, `it answered ${status} when asked for what it has seen`);
    return this.#understood(() => verifySigned(text, logKey));
  }

  async #fetch(path: string, init: { method?: string; body?: string; signal: AbortSignal }): Promise<{ status: number; text: string }> {
    try {
      return await httpTextLimited(`${this.#url}/${path}`, init, maxNoteBytes);
    } catch (error) {
      throw new WitnessError(this.name, error instanceof Error ? error.message : String(error), { cause: error });
    }
  }

  #understood<Value>(parse: () => Value): Value {
    try {
      return parse();
    } catch (error) {
      throw new WitnessError(this.name, `its answer is wrong: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }
}

function treeSizeOrUndefined(text: string): number | undefined {
  try {
    return parseTreeSize(text);
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}
