import type { LinkRef } from '../../../machines/link.machine.ts';

/** A gateway on this machine is there with or without a network. */
const loopback = /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/;

/** What the browser knows of the network, and that the user is back at this page. */
export function listenToBrowser(link: LinkRef): () => void {
  if (typeof window === 'undefined') return () => {};
  const life = new AbortController();
  const { signal } = life;
  if (!loopback.test(location.hostname)) {
    window.addEventListener('offline', () => link.send({ type: 'offline' }), { signal });
  }
  window.addEventListener('online', () => link.send({ type: 'online' }), { signal });
  // Timers of a hidden page are slow: what is due is done when somebody looks again.
  document.addEventListener(
    'visibilitychange',
    () => {
      if (document.visibilityState === 'visible') link.send({ type: 'retry' });
    },
    { signal },
  );
  return () => life.abort();
}
