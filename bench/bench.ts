/**
 * Measures Wrapup beside the usual way, and writes bench/RESULTS.md.
 *
 *   npm run bench                              everything, some twenty minutes on a machine of its own
 *   npm run bench -- ingress latency           only these parts
 *   npm run bench -- drain --calls 1000000     a longer backlog
 *   npm run bench -- kept --kept 2000          what is kept of fewer calls than 20,000
 *   npm run bench -- parked pages --items 100000   fewer parked deliveries, and calls behind the pages, than a million
 *   npm run bench -- clients --clients 1,50 --backlog 10000
 *   npm run bench -- rate --rates 1000000 --seconds 300   a day's million, for five minutes
 *   npm run bench -- earlier --checkout ../wrapup-earlier   beside another version, installed in a folder of its own
 *   npm run bench -- ingress --rounds 9 --kb 8 more rounds, of one size of body
 *
 * Everything stays on loopback; load is bounded in count and time.
 */
import { parseArgs } from 'node:util';
import { measureAttacks } from './parts/attacks.ts';
import { measureClients } from './parts/clients.ts';
import { measureDelivery } from './parts/delivery.ts';
import { measureDrain } from './parts/drain.ts';
import { measureEarlier } from './parts/earlier.ts';
import { measureIngress, SIZES } from './parts/ingress.ts';
import { measureLatency } from './parts/latency.ts';
import { measureKept, measureMemory } from './parts/memory.ts';
import { measurePages } from './parts/pages.ts';
import { measureParked } from './parts/parked.ts';
import { measureRates } from './parts/rate.ts';
import { describeMachine } from './support/machine.ts';
import { addResults, type Measured } from './support/results.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    calls: { type: 'string' },
    kb: { type: 'string', default: '2,8,60' },
    kept: { type: 'string', default: '20000' },
    items: { type: 'string', default: '1000000' },
    clients: { type: 'string', default: '1,100,1000' },
    backlog: { type: 'string', default: '100000' },
    rates: { type: 'string', default: '1000,10000,100000,1000000' },
    seconds: { type: 'string', default: '60' },
    checkout: { type: 'string' },
  },
});

const PARTS: Record<string, () => Promise<unknown>> = {
  ingress: () =>
    measureIngress(
      Number(values.rounds),
      SIZES.filter(({ kb }) => values.kb.split(',').includes(String(kb))),
    ),
  attacks: () => measureAttacks(),
  delivery: () => measureDelivery('hubspot', Number(values.calls ?? 2_000), 150),
  salesforce: () => measureDelivery('salesforce', Number(values.calls ?? 2_000), 500),
  latency: () => measureLatency(25),
  memory: () => measureMemory(500, 20_000),
  kept: () =>
    measureKept([
      { calls: Number(values.kept), bytes: 2_800 },
      { calls: Number(values.kept) / 4, bytes: 20_000 },
    ]),
  parked: () => measureParked(Number(values.items)),
  pages: () => measurePages(Number(values.items)),
  clients: () => measureClients(values.clients.split(',').map(Number), Number(values.backlog)),
  rate: () => measureRates(values.rates.split(',').map(Number), Number(values.seconds)),
  drain: () => measureDrain(Number(values.calls ?? 100_000), 5_000),
  ...(values.checkout ? { earlier: () => measureEarlier(values.checkout as string, 25, 10_000) } : {}),
};

const unknown = positionals.filter((name) => !Object.hasOwn(PARTS, name));
if (unknown.length > 0) {
  console.error(`No such part: ${unknown.join(', ')}. There are: ${Object.keys(PARTS).join(', ')}`);
  process.exit(2);
}
for (const [name, measure] of Object.entries(PARTS)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  console.log(`measuring ${name} …`);
  const figures = await measure();
  const measured: Measured<unknown> = {
    date: new Date().toISOString().slice(0, 10),
    machine: await describeMachine(),
    figures,
  };
  addResults({ [name]: measured });
  console.log(JSON.stringify(figures, undefined, 1));
}
process.exit(0);
