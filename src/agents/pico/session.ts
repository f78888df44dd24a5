import type { ContentBlock } from '../../wire/content.ts';
import { AgentError, type AgentSession, type OpenOptions } from '../agent.ts';
import type { Clock } from '../model/clock.ts';
import { PicoMessages } from './messages.ts';
import type { PicoServer, PicoWaits } from './options.ts';
import { connect, type Frame, type PicoSocket, socketUrl } from './socket.ts';
import { PicoTurn } from './turn.ts';

export interface SessionDeps {
  readonly server: PicoServer;
  readonly clock: Clock;
  readonly fetch: typeof fetch;
  readonly waits: PicoWaits;
}

export function createSession(deps: SessionDeps, options: OpenOptions): AgentSession {
  const { server, clock, waits } = deps;
  const { session } = options;
  const old = new Set<string>();
  /** What comes while no turn runs: picoclaw speaks by itself, of what it had put off. */
  const unasked = new PicoMessages((output) => options.onOutput(output), old);
  let socket: Promise<PicoSocket> | undefined;
  let current: PicoTurn | undefined;
  let closed = false;

  function hear(frame: Frame): void {
    if (frame.session_id !== undefined && frame.session_id !== session) return;
    if (current && !current.over) return current.frame(frame);
    if (frame.type.startsWith('message.')) unasked.take(frame);
  }

  /** The conversation's one socket; it is kept, since what is sent while it is away is lost. */
  function connected(): Promise<PicoSocket> {
    if (socket) return socket;
    const opening = connect(server, session, {
      frame: hear,
      gone(error) {
        if (socket === opening) socket = undefined;
        current?.fail(error);
      },
    });
    socket = opening;
    opening.catch(() => {
      if (socket === opening) socket = undefined;
    });
    return opening;
  }

  async function run(turn: PicoTurn, content: readonly ContentBlock[]): Promise<void> {
    try {
      const payload = payloadOf(content);
      const open = await connected();
      // I5: a stop that came first leaves nothing to send.
      if (turn.over) return;
      turn.begin();
      await open.send({ type: 'message.send', session_id: session, payload });
    } catch (error) {
      turn.fail(error as AgentError);
    }
  }

  /** The last answer in picoclaw's own history of this session, if it follows the last message. */
  async function recorded(sent: string, signal: AbortSignal): Promise<{ answer?: string } | undefined> {
    const url = new URL(server.api ?? socketUrl(server.url));
    url.protocol = url.protocol.replace(/^ws/, 'http');
    url.pathname = `/api/sessions/${encodeURIComponent(session)}`;
    const headers = server.token ? { authorization: `Bearer ${server.token.reveal()}` } : {};
    const response = await deps.fetch(url, { headers, signal });
    if (!response.ok) return undefined;
    const { messages } = (await response.json()) as { messages?: { role?: string; content?: string }[] };
    if (!Array.isArray(messages)) return undefined;
    const asked = messages.findLastIndex(({ role }) => role === 'user');
    if (messages[asked]?.content?.trim() !== sent.trim()) return {};
    const answer = messages.slice(asked + 1).findLast(({ role }) => role === 'assistant')?.content;
    return answer === undefined ? {} : { answer };
  }

  return {
    prompt({ content, signal }) {
      if (current && !current.over) throw new AgentError('pico.busy', 'This session has a turn already.');
      const sent = payloadOf(content).content;
      const turn = new PicoTurn({ waits, clock, old, recorded: (end) => recorded(sent, end) });
      current = turn;
      signal.addEventListener('abort', () => turn.leave(), { once: true });
      void run(turn, content);
      return turn.output;
    },

    async cancel() {
      const turn = current;
      if (!turn || turn.over) return;
      if (!turn.sent) return turn.end({ type: 'ended', stopReason: 'cancelled' });
      const open = await connected();
      await open.send({ type: 'message.send', session_id: session, payload: { content: '/stop' } });
      turn.stop();
    },

    answer() {
      // picoclaw asks no permissions over this channel.
    },

    async close() {
      if (closed) return;
      closed = true;
      current?.leave();
      const open = await socket?.catch(() => undefined);
      open?.close();
    },
  };
}

/** Throws `pico.unsupported_content` for what the channel cannot carry. */
function payloadOf(content: readonly ContentBlock[]): { content: string; media?: readonly string[] } {
  const media = content.flatMap((block) =>
    block.type === 'image' ? [`data:${block.mimeType};base64,${block.data}`] : [],
  );
  const text = content
    .flatMap((block) => {
      if (block.type === 'text') return block.text;
      if (block.type === 'image') return [];
      if (block.type === 'resource_link') return `[${block.title ?? block.name}](${block.uri})`;
      if (block.type === 'resource' && block.resource.text !== undefined)
        return `Contents of ${block.resource.uri}:\n\n${block.resource.text}`;
      throw new AgentError('pico.unsupported_content', 'picoclaw takes text and images: send it as text.');
    })
    .join('\n\n');
  return { content: text, ...(media.length > 0 && { media }) };
}
