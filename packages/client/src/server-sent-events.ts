import { ConnectionError } from "./http.ts";

export type ServerSentEvent = { event: string; data: string };

const maxEventCharacters = 4 * 2 ** 20;

/**
 * Parses a stream of server-sent events (WHATWG HTML §9.2.6) as it arrives. Comments and unknown fields are skipped.
 *
 *     event: submission
 *     data: {"id":"…"}
 *
 * @throws ConnectionError for an event that is larger than any that this API sends
 */
export async function* parseEventStream(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ServerSentEvent> {
  const decoder = new TextDecoder();
  let buffered = "";
  let fields = emptyFields();
  for await (const chunk of chunks) {
    buffered += decoder.decode(chunk, { stream: true });
    const lines = buffered.split(/\r\n|\n|\r(?!$)/);
    buffered = lines.pop() ?? "";
    for (const line of lines) {
      if (line !== "") addField(fields, line);
      else {
        if (fields.data.length > 0) yield { event: fields.event, data: fields.data.join("\n") };
        fields = emptyFields();
      }
    }
    if (buffered.length + fields.characters > maxEventCharacters) throw new ConnectionError("reading events", "an event is too large");
  }
}

type Fields = { event: string; data: string[]; characters: number };

const emptyFields = (): Fields => ({ event: "message", data: [], characters: 0 });

function addField(fields: Fields, line: string): void {
  const [, name, value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
  fields.characters += line.length;
  if (name === "event") fields.event = value;
  if (name === "data") fields.data.push(value);
}
