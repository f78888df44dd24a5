import { describe, expect, test } from 'vitest';
import { MarkdownStream } from '../../src/console/markdown/stream.ts';

function rendered(text: string): HTMLElement {
  const root = document.createElement('div');
  document.body.append(root);
  const stream = new MarkdownStream(root);
  stream.update(text);
  stream.finish(text);
  root.remove();
  return root;
}

const attacks = [
  '<script>window.hit = 1</script>',
  'words <script>window.hit = 1</script> words',
  '<img src=x onerror="window.hit = 1">',
  'words <img src="https://spy.example/p.png" onload=window.hit=1> words',
  '![p](https://spy.example/p.png)',
  '<svg onload="window.hit = 1"><circle/></svg>',
  '<svg><script>window.hit = 1</script></svg>',
  '<math><mtext></form><form><mglyph><style></math><img src onerror=window.hit=1>',
  '<iframe src="javascript:window.hit = 1"></iframe>',
  '<iframe srcdoc="<script>parent.hit = 1</script>"></iframe>',
  '<object data="https://spy.example"></object><embed src="https://spy.example">',
  '<style>* { background: url(https://spy.example) }</style>',
  '<link rel=stylesheet href=https://spy.example><base href="https://spy.example/"><meta http-equiv=refresh content="0;url=https://spy.example">',
  '<form action="https://spy.example"><input name=p><button>Go</button></form>',
  '<a href="javascript:window.hit = 1" onclick="window.hit = 1">x</a>',
  '[x](javascript:window.hit=1)',
  '[x](JaVaScRiPt:window.hit=1)',
  '[x](java\tscript:window.hit=1)',
  '[x](&#106;avascript:window.hit=1)',
  '[x](data:text/html;base64,PHNjcmlwdD5oaXQ9MTwvc2NyaXB0Pg==)',
  '[x](vbscript:x) [y](file:///etc/passwd) [z](//spy.example/x) [w](/api/sessions)',
  '<javascript:window.hit=1>',
  '[a]: javascript:window.hit=1\n\n[a]',
  '```"><img src=x onerror=window.hit=1>\ncode\n```',
  '# <img src=x onerror=window.hit=1>',
  '| a |\n|---|\n| <img src=x onerror=window.hit=1> |',
  '<div style="position:fixed;inset:0" class="dialog" id="root" data-copy>over it all</div>',
  '<details open ontoggle="window.hit = 1"><summary>x</summary></details>',
  '<noscript><p title="</noscript><img src=x onerror=window.hit=1>"></noscript>',
  '<template><img src=x onerror=window.hit=1></template>',
  '<a href="https://ok.example" target="_self" rel="opener">ok</a>',
];

const elements =
  'script, img, svg, math, iframe, object, embed, style, link, base, meta, form, video, audio, template, noscript';
const attributes = new Set([
  'href',
  'target',
  'rel',
  'title',
  'class',
  'start',
  'type',
  'disabled',
  'checked',
  'tabindex',
  'role',
]);

describe('Markdown of an agent', () => {
  test.each(attacks)('can do no harm: %s', async (attack) => {
    const root = rendered(`before\n\n${attack}\n\nafter`);
    expect(root.querySelectorAll(elements)).toHaveLength(0);
    for (const element of root.querySelectorAll('*')) {
      for (const { name, value } of element.attributes) {
        expect(
          attributes.has(name) || name.startsWith('aria-') || /^data-(language|copy)$/.test(name),
          name,
        ).toBe(true);
        if (name === 'class') expect(value).toMatch(/^md-/);
      }
    }
    for (const link of root.querySelectorAll('a')) {
      expect(link.protocol).toMatch(/^(https?|mailto):$/);
      expect(link.host === location.host).toBe(false);
      expect(link.target).toBe('_blank');
      expect(link.relList.contains('noopener')).toBe(true);
    }
    await Promise.resolve();
    expect('hit' in window).toBe(false);
  });

  test('shows pictures of other hosts as links, so that reading tells nobody', () => {
    const link = rendered('![a chart](https://x.example/c.png)').querySelector('a');
    expect(link?.textContent).toBe('a chart');
    expect(link?.href).toBe('https://x.example/c.png');
  });

  test('keeps harmless tags, and words that only look like tags', () => {
    expect(rendered('Press <kbd>Enter</kbd>, a<br>b').innerHTML).toBe(
      '<p>Press <kbd>Enter</kbd>, a<br>b</p>',
    );
    expect(rendered('if a &lt; b && `x<y>`').textContent).toBe('if a < b && x<y>');
  });
});
