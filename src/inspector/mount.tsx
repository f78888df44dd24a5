import { render } from 'solid-js/web';
import { createActor } from 'xstate';
import { type Clock, systemClock } from './clock.ts';
import { Inspector } from './inspector.tsx';
import { listenToPages } from './pages.ts';
import { gatewayStream, sourceMachine } from './source.machine.ts';
import { Trace } from './trace.ts';

const gatewaySource = 'gateway';

/** Opens the inspector in an element. The returned function closes it and lets go of the gateway and the pages. */
export function mount(root: HTMLElement, clock: Clock = systemClock): () => void {
  const trace = new Trace(clock.now);
  const paths = new Map<string, string>();
  const stream = gatewayStream((line) => trace.apply(gatewaySource, line));
  const link = createActor(sourceMachine.provide({ actors: { stream } }));
  const deaf = listenToPages({
    met: (page, path) => void paths.set(page, path),
    line: (page, line) => trace.apply(page, line),
    left: (page) => {
      paths.delete(page);
      trace.drop(page);
    },
  });
  link.start();
  const dispose = render(
    () => <Inspector trace={trace} link={link} clock={clock} pages={() => [...paths]} />,
    root,
  );
  return () => {
    dispose();
    deaf();
    link.stop();
  };
}
