/** A process for the shutdown tests: prints `up`, then behaves as its arguments say. */
import { writeSync } from 'node:fs';
import { createLogger, onShutdown } from '../../src/index.ts';

const [behaviour = 'clean', deadline = '5000'] = process.argv.slice(2);
/** As the logger writes: at once, so that the order is that of events. */
const say = (text: string) => {
  if (behaviour !== 'unheard' || text === 'up') writeSync(1, `${text}\n`);
};
const log = createLogger('stopping');
const steps = {
  clean: async () => say('step'),
  failing: () => Promise.reject(new Error('told dana@example.com')),
  hanging: () => new Promise<void>(() => {}),
};
onShutdown(
  [
    { name: 'first', run: steps[behaviour as keyof typeof steps] ?? steps.clean },
    { name: 'second', run: () => say('second') },
  ],
  { log, deadline: Number(deadline) },
);
setInterval(() => {}, 1_000);
if (behaviour === 'rejecting') void Promise.reject(new Error('told dana@example.com'));
if (behaviour === 'throwing') {
  setImmediate(() => {
    throw new Error('told dana@example.com');
  });
}
say('up');
