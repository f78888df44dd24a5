import { expect, test } from 'vitest';
import { cdp } from 'vitest/browser';
import { Dot } from '../../src/console/parts/dot.tsx';
import { Spinner } from '../../src/console/parts/spinner.tsx';
import { painted, show } from './console.harness.tsx';

interface Devtools {
  send(method: 'Performance.enable'): Promise<unknown>;
  send(
    method: 'Performance.getMetrics',
  ): Promise<{ readonly metrics: readonly { name: string; value: number }[] }>;
}

test('a page on which something runs and nothing comes has nothing to do: what moves is moved without it', async () => {
  show(() => (
    <>
      <Spinner />
      <Dot word={{ text: 'Streaming', mood: 'busy' }} />
    </>
  ));
  await painted();
  expect(document.getAnimations().map((animation) => animation.playState)).toEqual(['running', 'running']);
  const devtools = cdp() as unknown as Devtools;
  await devtools.send('Performance.enable');
  const styled = async () => {
    const { metrics } = await devtools.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'RecalcStyleCount')?.value ?? Number.NaN;
  };
  const before = await styled();
  // By what moves itself: to ask for frames would be something to do.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect((await styled()) - before).toBeLessThan(20);
});
