import { WebSocket } from 'ws';

/** A tab of its own process: follows a session on the live channel, prints one line for each frame, until it is ended. */
const [url, token, session, after] = process.argv.slice(2) as [string, string, string, string];
const socket = new WebSocket(`${url.replace('http', 'ws')}/api/live`, {
  headers: { authorization: `Bearer ${token}` },
});
socket.on('open', () => socket.send(JSON.stringify({ type: 'subscribe', session, after })));
socket.on('message', (data) =>
  process.stdout.write(`${(JSON.parse(String(data)) as { type: string }).type}\n`),
);
socket.on('close', () => process.stdout.write('closed\n'));
