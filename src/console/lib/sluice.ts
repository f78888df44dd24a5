import { createContext, useContext } from 'solid-js';
import type { Sluice } from '../start.ts';

export const SluiceContext = createContext<Sluice>();

/** The actors of this page. */
export function useSluice(): Sluice {
  const sluice = useContext(SluiceContext);
  if (!sluice) throw new Error('no actors are provided to this part of the page');
  return sluice;
}
