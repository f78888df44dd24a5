import type { JSX } from 'solid-js';
import { Workflow } from '../icons.ts';

/**
 * The frame of every page: conversations at the side, the chosen thing beside them. On a narrow screen one of the two
 * is shown: the list when nothing is chosen.
 */
export function Shell(props: {
  /** Something is chosen: on a narrow screen it has the whole width. */
  chosen: boolean;
  side: JSX.Element;
  link: JSX.Element;
  tools: JSX.Element;
  jobsHref: string;
  jobsCurrent: boolean;
  running: number;
  children: JSX.Element;
}) {
  return (
    <div class="shell" data-chosen={props.chosen ? '' : undefined}>
      <aside class="side">
        <header class="side-head">
          <a class="brand" href="/">
            <svg class="brand-mark" viewBox="0 0 20 20" aria-hidden="true">
              <path d="M2 6.5c2.7 0 2.7-2 5.3-2s2.7 2 5.4 2 2.6-2 5.3-2M2 11.5c2.7 0 2.7-2 5.3-2s2.7 2 5.4 2 2.6-2 5.3-2M2 16.5c2.7 0 2.7-2 5.3-2s2.7 2 5.4 2 2.6-2 5.3-2" />
            </svg>
            Sluice
          </a>
          <span class="side-tools">{props.tools}</span>
        </header>
        {props.side}
        <footer class="side-foot">
          <span class="side-links">
            <a class="side-link" href={props.jobsHref} aria-current={props.jobsCurrent ? 'page' : undefined}>
              Jobs
              <span class="side-count">{props.running > 0 ? `${props.running} running` : ''}</span>
            </a>
            <a
              class="icon-button"
              href="/inspect"
              target="_blank"
              rel="noopener"
              aria-label="Inspector, in a new tab"
              title="Inspector: why each conversation is in its state (opens in a new tab)"
            >
              <Workflow size={15} />
            </a>
          </span>
          {props.link}
        </footer>
      </aside>
      <main class="main">{props.children}</main>
    </div>
  );
}
