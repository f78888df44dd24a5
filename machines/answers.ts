import { formProblems } from '../src/wire/form.ts';
import type { AnswerPermission } from '../src/wire/requests.ts';
import type { Decision } from './decide.ts';
import { refuse } from './refuse.ts';
import { gives, type SessionContext } from './session.ts';

/** What an answer to a question of the agent writes: the first one wins, and its values fit the form. */
export function answer(context: SessionContext, permission: string, given: AnswerPermission): Decision {
  const { option, content } = given;
  const open = context.permissions.find((p) => p.id === permission);
  if (open) {
    const chosen = open.options.find((o) => o.optionId === option);
    if (!chosen) {
      return refuse(
        400,
        'permission.no_option',
        `Choose one of: ${open.options.map((o) => o.optionId).join(', ')}.`,
      );
    }
    const asksFor = gives(open, chosen) ? open.form : undefined;
    if (content && !asksFor) {
      return refuse(400, 'permission.no_form', `The answer ${option} takes no values: send it without.`);
    }
    const values = asksFor && { content: content ?? {} };
    const fields = asksFor && formProblems(asksFor, content ?? {});
    if (fields && Object.keys(fields).length > 0) {
      const wrong = Object.entries(fields).map(([name, problem]) => `${name}: ${problem}`);
      return refuse(400, 'permission.wrong_content', wrong.join(' '), { fields });
    }
    const answered = { type: 'permission.answered', turn: open.turn, permission, option, ...values } as const;
    return { drafts: [answered], answer: {} };
  }
  const live = context.open ? [context.open.ref.getSnapshot().context] : [];
  for (const turn of [...live, ...context.turns.toReversed()]) {
    const part = turn.parts.find((p) => p.type === 'permission' && p.id === permission);
    if (part?.type !== 'permission') continue;
    return refuse(
      409,
      'permission.settled',
      part.state === 'answered' ? `Already answered: ${part.option}.` : `Withdrawn: ${part.reason}`,
      part.state === 'answered' ? { answered: part.option } : { withdrawn: part.reason },
    );
  }
  return refuse(404, 'permission.unknown', 'No such permission in this session.');
}
