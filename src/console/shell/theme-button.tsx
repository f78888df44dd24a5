import { Match, Switch } from 'solid-js';
import { Monitor, Moon, Sun } from '../icons.ts';
import { currentTheme, nextTheme } from '../lib/theme.ts';

const names = { system: 'as the system', light: 'light', dark: 'dark' } as const;

export function ThemeButton() {
  const label = () => `Colours: ${names[currentTheme()]}`;
  return (
    <button type="button" class="icon-button" aria-label={label()} title={label()} onClick={nextTheme}>
      <Switch>
        <Match when={currentTheme() === 'system'}>
          <Monitor size={16} />
        </Match>
        <Match when={currentTheme() === 'light'}>
          <Sun size={16} />
        </Match>
        <Match when={currentTheme() === 'dark'}>
          <Moon size={16} />
        </Match>
      </Switch>
    </button>
  );
}
