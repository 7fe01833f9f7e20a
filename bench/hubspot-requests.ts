/**
 * What writing calls to HubSpot costs, counted by the sandbox: through ingress, Redis and worker as they ship, and the adapter
 * on its own, its batches as full as they can be. Writes bench/hubspot-requests.md, and RESULTS.md, which takes it in.
 *
 *   npm run bench:hubspot                          1, 10, 100 and 1,000 calls: some seven minutes
 *   npm run bench:hubspot -- --sizes 1,10 --out x  only these, into another file: the published page has all sizes
 *
 * Every call has one task. The sandbox stands for a Professional account: 190 requests in 10 s, 5 searches in 1 s,
 * 40 ms for each answer, and a search that sees a write after 2 s. Calls come as fast as ingress takes them.
 */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { measureAdapter } from './parts/requests-of-adapter.ts';
import { measureThroughIngress } from './parts/requests-through-ingress.ts';
import { describeMachine } from './support/machine.ts';
import { renderRequests } from './support/requests.ts';
import { addResults } from './support/results.ts';

const PAGE = resolve(import.meta.dirname, 'hubspot-requests.md');

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '1,10,100,1000' },
    out: { type: 'string', default: PAGE },
  },
});

const sizes = values.sizes.split(',').map(Number);
if (!sizes.every((size) => Number.isInteger(size) && size > 0)) {
  console.error('--sizes takes numbers of calls, separated by commas: 1,10,100');
  process.exit(2);
}
const whole = await measureThroughIngress(sizes);
const adapter = await measureAdapter(sizes);
const machine = await describeMachine(['@hubspot/api-client']);
const page = renderRequests({ date: new Date().toISOString().slice(0, 10), machine, whole, adapter });
writeFileSync(values.out, page);
if (values.out === PAGE) addResults({});
console.log(page);
process.exit(0);
