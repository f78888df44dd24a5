import { render } from 'solid-js/web';
import './styles/index.css';
import './lib/theme.ts';
import { App } from './app.tsx';
import { inspect } from './inspect.ts';
import { start } from './start.ts';

const sluice = start({ inspect });
render(() => <App sluice={sluice} />, document.getElementById('root') as HTMLElement);
