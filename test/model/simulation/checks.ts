import type { Fact } from '../../../src/wire/facts.ts';
import type { Output } from '../../../src/wire/output.ts';
import type { Turn } from '../../../src/wire/turn.ts';
import type { Violations } from '../../support/invariants.ts';

/** What a log of the simulation must hold besides what every log must: its agents sign each word that they say. */

/** I13: a turn that did not end well says why. */
export function endsSayWhy(facts: readonly Fact[]): Violations {
  return facts.flatMap((fact) => {
    if (fact.type !== 'turn.ended' || (fact.outcome !== 'failed' && fact.outcome !== 'interrupted'))
      return [];
    return fact.error?.message
      ? []
      : [`${fact.seq}: ${fact.turn} ended ${fact.outcome} and does not say why`];
  });
}

/** I11: a poll that brings nothing new writes nothing: no progress and no watching is written twice in a row. */
export function quietPolls(facts: readonly Fact[]): Violations {
  const found: string[] = [];
  let progress = '';
  let watching = '';
  for (const fact of facts) {
    if (fact.type === 'turn.started') {
      progress = '';
      watching = '';
    }
    if (fact.type === 'job.progress') {
      const next = JSON.stringify([fact.turn, fact.text, fact.done, fact.total]);
      // An agent may repeat itself; a poll is no news by itself.
      if (next === progress && fact.text.includes('#progress'))
        found.push(`${fact.seq}: the same progress twice`);
      progress = next;
    }
    if (fact.type === 'turn.watching') {
      const next = `${fact.mode} (${fact.reason})`;
      // Each gateway that joins a turn again is told so.
      if (next === watching && fact.mode === 'poll' && !/Its stream|restarted/.test(fact.reason))
        found.push(`${fact.seq}: ${next} twice`);
      watching = next;
    }
  }
  return found;
}

const signed = /\[([^:[\]#]+):([^[\]#]+)#[^\]]*\]/g;

/**
 * I8, I14: every word in a log was said to its session, and to the turn that holds it or to none. A7: `late` were said
 * unasked after that turn's end.
 */
export function ownWords(facts: readonly Fact[], late: ReadonlyMap<string, string> = new Map()): Violations {
  const found: string[] = [];
  for (const fact of facts) {
    // Requests of jobs and titles carry the words of others on purpose.
    if (fact.type === 'job.attached' || fact.type === 'session.opened') continue;
    const turn = 'turn' in fact ? fact.turn : undefined;
    for (const [word, session, said] of JSON.stringify(fact).matchAll(signed)) {
      if (turn !== undefined && late.get(word) === `${fact.session}:${turn}`)
        found.push(`${fact.seq} ${fact.type}: ${word} was said unasked, after the end of ${turn}`);
      if (session !== fact.session) found.push(`${fact.seq} ${fact.type}: ${word} is of session ${session}`);
      else if (turn !== undefined && said !== 'unasked' && said !== turn) {
        found.push(`${fact.seq} ${fact.type}: ${word} is of turn ${said}, not of ${turn}`);
      }
    }
  }
  return found;
}

/** The words of a text, each signed by its agent. */
function wordsOf(text: string, key: string): readonly string[] {
  return [...text.matchAll(signed)]
    .filter(([, session, turn]) => `${session}:${turn}` === key)
    .map(([word]) => word);
}

/** No token is lost and none comes twice: what the agent said before a good end is what the turn holds. */
export function everyWordOnce(turn: Turn, key: string, said: readonly Output[]): Violations {
  const end = said.findIndex((output) => output.type === 'ended');
  const before = end < 0 ? said : said.slice(0, end);
  // Text that was taken back is gone on purpose.
  if (before.some((output) => output.type === 'replace')) return [];
  const wanted = before.flatMap((output) =>
    output.type === 'text' || output.type === 'thought' ? wordsOf(output.text, key) : [],
  );
  const got = turn.parts.flatMap((part) =>
    part.type === 'text' || part.type === 'thought' ? wordsOf(part.text, key) : [],
  );
  const lost = wanted.filter((word) => !got.includes(word));
  const late = got.filter((word) => !wanted.includes(word));
  const twice = got.filter((word, index) => got.indexOf(word) !== index);
  return [
    ...lost.map((word) => `${key}: ${word} is lost`),
    ...late.map((word) => `${key}: ${word} came after the end`),
    ...twice.map((word) => `${key}: ${word} came twice`),
  ];
}

/** I6, C51: nothing that was committed failed to fit its turn. */
export function allFits(turns: readonly Turn[]): Violations {
  return turns.flatMap((turn) =>
    turn.misfits.map((misfit) => `${turn.id} at ${misfit.seq}: ${misfit.reason}`),
  );
}
