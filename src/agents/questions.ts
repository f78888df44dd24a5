import type { PermissionOption } from '../wire/content.ts';

/** How a question is answered that asks for values, or for a visit to a page. */
export const formOptions: readonly PermissionOption[] = [
  { optionId: 'accept', name: 'Send', kind: 'allow_once' },
  { optionId: 'decline', name: 'Decline', kind: 'reject_once' },
];
export const urlOptions: readonly PermissionOption[] = [
  { optionId: 'accept', name: 'Accept', kind: 'allow_once' },
  { optionId: 'decline', name: 'Decline', kind: 'reject_once' },
];
