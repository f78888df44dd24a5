import { expect, test } from 'vitest';
import { Check } from '../../src/console/icons.ts';
import { show } from './console.harness.tsx';

test('an icon is an element of its own in each place, as large as it was asked for, and says nothing', () => {
  const host = show(() => (
    <>
      <Check size={14} />
      <Check size={14} class="mark" />
      <Check size={20} />
    </>
  ));
  const icons = [...host.querySelectorAll('svg')];
  expect(icons.map((icon) => icon.getAttribute('width'))).toEqual(['14', '14', '20']);
  expect(icons.map((icon) => icon.classList.contains('mark'))).toEqual([false, true, false]);
  expect(icons.map((icon) => icon.getAttribute('aria-hidden'))).toEqual(['true', 'true', 'true']);
  expect(new Set(icons.map((icon) => icon.innerHTML)).size).toBe(1);
  expect(host.querySelectorAll('svg > *').length).toBe(3);
});
