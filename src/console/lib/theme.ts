import { createField, remember, remembered } from './ui.ts';

export type Theme = 'system' | 'light' | 'dark';

const key = 'sluice.theme';
const order: readonly Theme[] = ['system', 'light', 'dark'];
const stored = remembered(key);
const theme = createField<Theme>(stored === 'light' || stored === 'dark' ? stored : 'system');

function apply(): void {
  const chosen = theme();
  if (chosen === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
}
apply();

export const currentTheme = (): Theme => theme();

export function nextTheme(): void {
  theme.set(order[(order.indexOf(theme()) + 1) % order.length] as Theme);
  remember(key, theme() === 'system' ? undefined : theme());
  apply();
}
