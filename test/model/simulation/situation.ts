import type { World } from './world.ts';

/** What is told apart when situations are counted: states, and how much waits. No texts, no numbers of turns. */
export function situationOf(world: World): string {
  const of = (ref: { getSnapshot(): { value?: unknown } }) => JSON.stringify(ref.getSnapshot().value ?? '');
  const logs = [...world.disk.facts.keys()].map((session) => {
    const at = world.check.reference(session)?.last.snapshot;
    if (!at) return '';
    const { queue, open, permissions, jobs } = at.context;
    return `${JSON.stringify(at.value)}${queue.held ? 'h' : ''}${queue.messages.length}${open?.stage ?? ''}${open?.watching ?? ''}${open?.tools.length ?? ''}p${permissions.length}j${jobs.filter((job) => !job.outcome).length}`;
  });
  const pages = world.pages.map(
    (page) => `${of(page.link)}${of(page.outbox)}${page.sessions.map(([, ref]) => of(ref)).join()}`,
  );
  return `${world.servers.filter((server) => server.isUp).length}|${logs.join()}|${pages.join()}`;
}
