import DOMPurify from 'dompurify';
import { element, joined, type VNode } from './vnode.ts';

/** What HTML written into Markdown may become. No attribute but these two survives, so no style, id or handler does. */
const allowed = {
  ALLOWED_TAGS: [
    ...[
      'a',
      'b',
      'blockquote',
      'br',
      'caption',
      'code',
      'dd',
      'del',
      'details',
      'div',
      'dl',
      'dt',
      'em',
      'h1',
      'h2',
    ],
    ...[
      'h3',
      'h4',
      'h5',
      'h6',
      'hr',
      'i',
      'img',
      'ins',
      'kbd',
      'li',
      'mark',
      'ol',
      'p',
      'pre',
      'q',
      's',
      'samp',
    ],
    ...[
      'small',
      'span',
      'strong',
      'sub',
      'summary',
      'sup',
      'table',
      'tbody',
      'td',
      'tfoot',
      'th',
      'thead',
      'tr',
    ],
    ...['u', 'ul', 'var'],
  ],
  ALLOWED_ATTR: ['href', 'src', 'alt', 'title'],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  RETURN_DOM_FRAGMENT: true as const,
};

const schemes = new Set(['http:', 'https:', 'mailto:']);

/** The address if a click on it can do no harm. Relative ones name files of the agent's machine, not of this page. */
function safeAddress(href: string): string | undefined {
  const url = URL.parse(href);
  return url && schemes.has(url.protocol) ? url.href : undefined;
}

/** A link that leaves the page alone; plain text where the address is not safe. */
export function link(
  href: string,
  title: string | null | undefined,
  children: readonly VNode[],
): readonly VNode[] {
  const address = safeAddress(href);
  if (address === undefined) return children;
  const attrs = { href: address, target: '_blank', rel: 'noopener noreferrer nofollow' };
  return [element('a', title ? { ...attrs, title } : attrs, children)];
}

/** Images of other hosts are never loaded: that would tell them who reads. They are shown as links. */
export function picture(src: string, alt: string): readonly VNode[] {
  return link(src, undefined, [alt.trim() || src]);
}

function read(node: Node): readonly VNode[] {
  if (node.nodeType === Node.TEXT_NODE) return [node.nodeValue ?? ''];
  if (!(node instanceof Element)) return [];
  const tag = node.localName;
  if (tag === 'img') return picture(node.getAttribute('src') ?? '', node.getAttribute('alt') ?? '');
  const children = readAll(node);
  if (tag === 'a') return link(node.getAttribute('href') ?? '', node.getAttribute('title'), children);
  return [element(tag, undefined, children)];
}

const readAll = (parent: Node): VNode[] => joined([...parent.childNodes].flatMap(read));

/** HTML from an agent, made harmless. */
export function fromHtml(html: string): VNode[] {
  return readAll(DOMPurify.sanitize(html, allowed));
}

const entity = /&(?:#\d{1,7}|#[xX][\da-fA-F]{1,6}|[A-Za-z][\dA-Za-z]{1,31});/g;
let decoder: HTMLTextAreaElement | undefined;

/** Marked leaves entities to the browser's parser; text nodes need them resolved. */
export function decodeEntities(text: string): string {
  if (!text.includes('&')) return text;
  decoder ??= document.createElement('textarea');
  const field = decoder;
  return text.replace(entity, (found) => {
    field.innerHTML = found;
    return field.value;
  });
}
