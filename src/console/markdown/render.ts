import { Lexer, type Links, Parser, type Token, type Tokens } from 'marked';
import { decodeEntities, fromHtml, link, picture } from './sanitize.ts';
import { element, joined, type VElement, type VNode } from './vnode.ts';

const options = { gfm: true, breaks: false, async: false } as const;

/** Reads Markdown into Marked's tokens. `links` are definitions from earlier text; new ones are added to it. */
export function lex(source: string, links: Links): Token[] {
  const lexer = new Lexer(options);
  lexer.tokens.links = links;
  return lexer.lex(source);
}

const hasHtml = (tokens: readonly Token[]): boolean =>
  tokens.some(
    (token) => token.type === 'html' || ('tokens' in token && token.tokens ? hasHtml(token.tokens) : false),
  );

/** Tags in running text come as single tokens: only the browser's parser can pair them. */
function inline(tokens: readonly Token[]): VNode[] {
  if (hasHtml(tokens)) return fromHtml(Parser.parseInline([...tokens], options));
  return joined(tokens.flatMap(inlineToken));
}

function inlineToken(token: Token): readonly VNode[] {
  switch (token.type) {
    case 'strong':
    case 'em':
    case 'del':
      return [element(token.type, undefined, inline(token.tokens ?? []))];
    case 'codespan':
      return [element('code', undefined, [token.text])];
    case 'br':
      return [element('br', undefined, [])];
    case 'link':
      return link(token.href, token.title, inline(token.tokens ?? []));
    case 'image':
      return picture(token.href, token.text);
    case 'checkbox':
      return [checkbox(token as Tokens.Checkbox)];
    case 'escape':
      return [token.text];
    case 'text':
      return token.tokens ? inline(token.tokens) : [decodeEntities(token.text)];
    default:
      return [token.raw];
  }
}

function checkbox(token: Tokens.Checkbox): VElement {
  const attrs = { type: 'checkbox', disabled: '', 'aria-label': token.checked ? 'done' : 'to do' };
  return element('input', token.checked ? { ...attrs, checked: '' } : attrs, []);
}

function codeBlock(token: Tokens.Code): VElement {
  const language = (token.lang ?? '').trim().split(/\s/)[0] ?? '';
  return element('figure', { class: 'md-code', 'data-language': language }, [
    element('figcaption', undefined, [
      element('span', undefined, [language || 'text']),
      element('button', { type: 'button', class: 'md-copy', 'data-copy': '' }, ['Copy']),
    ]),
    element('pre', { tabindex: '0', 'aria-label': language ? `Code, ${language}` : 'Code' }, [
      element('code', undefined, token.text === '' ? [] : [token.text]),
    ]),
  ]);
}

const cell = (of: Tokens.TableCell): VElement =>
  element(of.header ? 'th' : 'td', of.align ? { class: `md-${of.align}` } : undefined, inline(of.tokens));

function table(token: Tokens.Table): VElement {
  const head = element('thead', undefined, [element('tr', undefined, token.header.map(cell))]);
  const rows = token.rows.map((row) => element('tr', undefined, row.map(cell)));
  const body = rows.length > 0 ? [element('tbody', undefined, rows)] : [];
  return element('div', { class: 'md-table', tabindex: '0', role: 'group', 'aria-label': 'Table' }, [
    element('table', undefined, [head, ...body]),
  ]);
}

function list(token: Tokens.List): VElement {
  const start =
    token.ordered && token.start !== '' && token.start !== 1 ? { start: String(token.start) } : undefined;
  return element(token.ordered ? 'ol' : 'ul', start, token.items.map(listItem));
}

export function listItem(item: Tokens.ListItem): VElement {
  return element('li', item.task ? { class: 'md-task' } : undefined, blocks(item.tokens, !item.loose));
}

function blocks(tokens: readonly Token[], tight: boolean): VNode[] {
  return joined(tokens.flatMap((token) => blockToken(token, tight)));
}

function blockToken(token: Token, tight: boolean): readonly VNode[] {
  switch (token.type) {
    case 'paragraph':
      return [element('p', undefined, inline(token.tokens ?? []))];
    case 'text': {
      const text = token.tokens ? inline(token.tokens) : [decodeEntities(token.text)];
      return tight ? text : [element('p', undefined, text)];
    }
    case 'heading':
      return [element(`h${token.depth}`, undefined, inline(token.tokens ?? []))];
    case 'code':
      return [codeBlock(token as Tokens.Code)];
    case 'blockquote':
      return [element('blockquote', undefined, blocks(token.tokens ?? [], false))];
    case 'list':
      return [list(token as Tokens.List)];
    case 'table':
      return [table(token as Tokens.Table)];
    case 'hr':
      return [element('hr', undefined, [])];
    case 'html': {
      const children = fromHtml(token.text);
      return children.length > 0 ? [element('div', undefined, children)] : [];
    }
    case 'space':
    case 'def':
      return [];
    default:
      return [...inlineToken(token)];
  }
}

/** One block of the top level: no node for blank lines and definitions, else exactly one element. */
export function block(token: Token): VElement | undefined {
  const nodes = blockToken(token, false);
  const only = nodes[0];
  if (only === undefined) return undefined;
  return nodes.length === 1 && typeof only !== 'string' ? only : element('div', undefined, nodes);
}
