import { render } from 'solid-js/web';
import '../styles/index.css';
import '../lib/theme.ts';
import './gallery.css';
import { Gallery } from './gallery.tsx';
import { Mock } from './mock.tsx';

const root = document.getElementById('root') as HTMLElement;
render(() => (location.hash.startsWith('#console') ? <Mock /> : <Gallery />), root);
