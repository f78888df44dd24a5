import { describe, expect, test } from 'vitest';
import { page } from 'vitest/browser';
import { Gallery } from '../../src/console/gallery/gallery.tsx';
import { Mock } from '../../src/console/gallery/mock.tsx';
import '../../src/console/gallery/gallery.css';
import { painted, show } from './console.harness.tsx';

/** What a screen reader would say for it. */
function nameOf(element: Element): string {
  const labelled = element.getAttribute('aria-labelledby');
  const label = labelled
    ? document.getElementById(labelled)?.textContent
    : element.getAttribute('aria-label');
  return (
    label ??
    (element as HTMLInputElement).labels?.[0]?.textContent ??
    element.textContent ??
    ''
  ).trim();
}

const pages = { 'the gallery': () => <Gallery />, 'the whole console': () => <Mock /> };

describe.each(Object.entries(pages))('%s', (_, piece) => {
  test('names every control, and hides every picture that says nothing', () => {
    const host = show(piece);
    const controls = [
      ...host.querySelectorAll(
        'button, a, input, select, textarea, [role=group], [role=log], meter, progress',
      ),
    ];
    expect(controls.length).toBeGreaterThan(20);
    expect(controls.filter((control) => nameOf(control) === '').map((control) => control.outerHTML)).toEqual(
      [],
    );
    const pictures = [...host.querySelectorAll('svg')].filter((svg) => !svg.closest('[aria-hidden=true]'));
    expect(pictures.map((svg) => svg.parentElement?.outerHTML)).toEqual([]);
  });

  test('uses each id once, and points at ids that exist', () => {
    const host = show(piece);
    const ids = [...host.querySelectorAll('[id]')].map((element) => element.id);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
    for (const name of ['aria-controls', 'aria-describedby', 'aria-labelledby', 'aria-activedescendant']) {
      for (const element of host.querySelectorAll(`[${name}]`)) {
        expect(document.getElementById(element.getAttribute(name) ?? ''), element.outerHTML).not.toBeNull();
      }
    }
  });

  test('fits a screen of 360 px without scrolling sideways', async () => {
    await page.viewport(360, 740);
    const host = show(piece);
    await painted();
    expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(360);
    const wide = [...host.querySelectorAll('button, textarea, .tool, .job, .permission, .message')].filter(
      (element) => element.getBoundingClientRect().right > 361,
    );
    expect(wide.map((element) => element.outerHTML)).toEqual([]);
  });
});

function luminance([r, g, b]: readonly number[]): number {
  const channel = (value = 0) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
}

describe.each(['light', 'dark'])('in the %s scheme', (scheme) => {
  const inks = ['--ink', '--ink-2', '--ink-3', '--accent', '--good', '--warn', '--bad'];
  const papers = ['--paper', '--side-paper', '--raised', '--sunken'];
  const pairs = [
    ...inks.flatMap((ink) => papers.map((paper) => [ink, paper] as const)),
    ['--on-accent', '--accent'],
    ['--warn', '--warn-soft'],
    ['--bad', '--bad-soft'],
    ['--ink', '--accent-soft'],
    ['--ink-3', '--chosen'],
  ] as const;

  test('every ink can be read on every paper: a contrast of 4.5 or more', () => {
    document.documentElement.dataset.theme = scheme;
    const probe = document.createElement('p');
    document.body.append(probe);
    const colour = (token: string) => {
      probe.style.color = `var(${token})`;
      return (getComputedStyle(probe).color.match(/[\d.]+/g) ?? []).map(Number);
    };
    const poor = pairs.filter(([ink, paper]) => {
      const [a = 0, b = 0] = [luminance(colour(ink)), luminance(colour(paper))].sort((x, y) => y - x);
      return (a + 0.05) / (b + 0.05) < 4.5;
    });
    probe.remove();
    delete document.documentElement.dataset.theme;
    expect(poor).toEqual([]);
  });
});
