import { randomUUID } from 'node:crypto';
import type { Output, PermissionAnswer } from '../agent.ts';

type Asked = Omit<Extract<Output, { type: 'permission.asked' }>, 'type' | 'permission'>;

/** What the agent waits for an answer to, of whatever kind. */
export class Questions {
  readonly #pending = new Map<string, (answer: PermissionAnswer) => void>();
  readonly #say: (output: Output) => void;

  constructor(say: (output: Output) => void) {
    this.#say = say;
  }

  /** Asks what `prepare` makes, as `permission` or under a new name, and resolves with the answer. */
  async ask(
    signal: AbortSignal,
    prepare: () => Asked | Promise<Asked>,
    permission = `permission-${randomUUID()}`,
  ): Promise<PermissionAnswer> {
    const answered = Promise.withResolvers<PermissionAnswer>();
    this.#pending.set(permission, answered.resolve);
    const withdraw = () => this.withdraw(permission, 'The agent withdrew its question.');
    signal.addEventListener('abort', withdraw, { once: true });
    const asked = await prepare();
    if (this.#pending.has(permission)) this.#say({ type: 'permission.asked', permission, ...asked });
    const answer = await answered.promise;
    signal.removeEventListener('abort', withdraw);
    return answer;
  }

  answer(permission: string, answer: PermissionAnswer): void {
    this.#pending.get(permission)?.(answer);
    this.#pending.delete(permission);
  }

  /** It needs no answer of the user any more; false when it had one. */
  withdraw(permission: string, reason: string, answer: PermissionAnswer = { outcome: 'cancelled' }): boolean {
    if (!this.#pending.has(permission)) return false;
    this.answer(permission, answer);
    this.#say({ type: 'permission.withdrawn', permission, reason });
    return true;
  }

  /** Nobody will answer these any more. */
  cancelAll(): void {
    for (const permission of [...this.#pending.keys()]) this.answer(permission, { outcome: 'cancelled' });
  }
}
