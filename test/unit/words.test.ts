import { expect, it } from 'vitest';
import { wordsOf } from '../support/words.ts';

it.each([
  ['', []],
  ['  my-agent   --acp ', ['my-agent', '--acp']],
  [`'/a b/agent' --say "it's \\"so\\"" x\\ y a'b c'd`, ['/a b/agent', '--say', `it's "so"`, 'x y', 'ab cd']],
  [`agent "" ''`, ['agent', '', '']],
])('the command line %j has its words as a shell would part them', (line, words) => {
  expect(wordsOf(line)).toEqual(words);
});
