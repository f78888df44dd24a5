import './styles/index.css';
import { mount } from './mount.tsx';

// The colours that were chosen in the console; it may be that nothing can be stored.
try {
  const theme = localStorage.getItem('sluice.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // As the system has it.
}

mount(document.getElementById('root') as HTMLElement);
