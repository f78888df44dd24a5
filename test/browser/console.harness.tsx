import type { JSX } from 'solid-js';
import { render } from 'solid-js/web';
import { onTestFinished } from 'vitest';
import '../../src/console/styles/index.css';
import type { ThreadView } from '../../src/console/view.ts';

/** Puts a piece of the console on the page, for as long as the test runs. */
export function show(piece: () => JSX.Element, style = ''): HTMLElement {
  const host = document.createElement('div');
  host.style.cssText = style;
  document.body.append(host);
  const dispose = render(piece, host);
  onTestFinished(() => {
    dispose();
    host.remove();
  });
  return host;
}

/** Everything that happens to the DOM under `root` from now on. */
export function watch(root: Node): { records: MutationRecord[]; read: () => MutationRecord[] } {
  const records: MutationRecord[] = [];
  const observer = new MutationObserver((seen) => records.push(...seen));
  observer.observe(root, { childList: true, subtree: true, characterData: true, attributes: true });
  onTestFinished(() => observer.disconnect());
  return {
    records,
    read: () => {
      records.push(...observer.takeRecords());
      return records;
    },
  };
}

export const removedElements = (records: readonly MutationRecord[]) =>
  records.flatMap((record) => [...record.removedNodes]).filter((node) => node instanceof Element);

export const addedElements = (records: readonly MutationRecord[]) =>
  records.flatMap((record) => [...record.addedNodes]).filter((node) => node instanceof Element);

/** Mutations in words, for a failure that can be read. */
export const told = (records: readonly MutationRecord[]) =>
  records.map(
    ({ type, target, attributeName }) =>
      `${type} ${attributeName ?? ''} of ${(target instanceof Element ? target : target.parentElement)?.outerHTML.slice(0, 80)}`,
  );

const nothing = () => {};
export const silentView: ThreadView = {
  jobRow: () => undefined,
  agentName: () => 'A',
  answering: () => undefined,
  stopping: () => false,
  onAnswer: nothing,
  retryAt: () => undefined,
  onRetry: nothing,
  onContinue: nothing,
};

export { painted } from '../support/painted.ts';

export function find<T extends Element = HTMLElement>(root: ParentNode, selector: string): T {
  const found = root.querySelector<T>(selector);
  if (!found) throw new Error(`nothing on the page matches ${selector}`);
  return found;
}
