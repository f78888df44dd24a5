import { createParser, type EventSourceMessage } from 'eventsource-parser';

/** The events of a body, as they come. Ends with the body; throws where the connection breaks. */
export async function* serverEvents(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<EventSourceMessage, void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const waiting: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (event) => waiting.push(event) });
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      parser.feed(decoder.decode(value, { stream: true }));
      while (waiting.length > 0) yield waiting.shift() as EventSourceMessage;
    }
  } finally {
    // Not awaited: whoever reads no more does not wait for the socket.
    reader.cancel().catch(() => {});
  }
}

/** The JSON object of an event; undefined for anything else, such as `[DONE]`. */
export function objectOf(data: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(data);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as never;
  } catch {
    // No JSON.
  }
  return undefined;
}
