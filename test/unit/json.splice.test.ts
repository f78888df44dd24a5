import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withItem, withoutItem } from '../../src/gateway/json.splice.ts';

const item = { id: 'a', command: ['x', '--acp'] };
const hand = `{
  "models": [{ "id": "m", "baseUrl": "http://127.0.0.1:1/v1" }],
  "agents": [
    { "id": "mine",   "command": ["a", "]}\\"{"] }
  ],
  "stallAfterMs": 20000
}
`;

describe('a list in a file that a person keeps', () => {
  it('gets an item, and everything else stays as it was written', () => {
    const after = withItem(hand, 'agents', item);
    expect(JSON.parse(after)).toEqual({ ...JSON.parse(hand), agents: [...JSON.parse(hand).agents, item] });
    for (const line of hand.split('\n').filter((line) => !line.includes('mine')))
      expect(after).toContain(line);
    expect(after).toContain('{ "id": "mine",   "command": ["a", "]}\\"{"] },\n    {\n      "id": "a",');
    expect(withoutItem(after, 'agents', 1)).toBe(hand);
  });

  it.each(['{}', '{\n}', '{ "agents": [] }', '{"agents":[1]}', '{"x":1}', '\ufeff{"x": -1e3 }\n'])(
    'is made where it is not: %s',
    (text) => {
      const plain = (json: string) => JSON.parse(json.replace('\ufeff', ''));
      const { agents = [] } = plain(text);
      expect(plain(withItem(text, 'agents', item))).toEqual({ ...plain(text), agents: [...agents, item] });
    },
  );

  it('loses the item that is named, and only that, whatever the file holds', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string(),
          fc.json().map((json) => JSON.parse(json)),
        ),
        fc.array(
          fc.json().map((json) => JSON.parse(json)),
          { minLength: 1 },
        ),
        fc.nat(),
        fc.constantFrom(undefined, 1, 2, '\t'),
        (others, agents, n, indent) => {
          const text = JSON.stringify({ ...others, agents }, null, indent);
          const index = n % agents.length;
          expect(JSON.parse(withoutItem(text, 'agents', index))).toEqual({
            ...JSON.parse(text),
            agents: JSON.parse(JSON.stringify(agents)).toSpliced(index, 1),
          });
          expect(JSON.parse(withItem(text, 'agents', item)).agents).toEqual([
            ...JSON.parse(JSON.stringify(agents)),
            item,
          ]);
        },
      ),
    );
  });

  it('stays as it is when there is no such item', () => {
    expect(withoutItem(hand, 'agents', 5)).toBe(hand);
    expect(withoutItem('{}', 'agents', 0)).toBe('{}');
  });
});
