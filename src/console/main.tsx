import { render } from 'solid-js/web';
import './styles/index.css';
import './lib/theme.ts';
import { App } from './app.tsx';
import { start } from './start.ts';

const sluice = start();
render(() => <App sluice={sluice} />, document.getElementById('root') as HTMLElement);
