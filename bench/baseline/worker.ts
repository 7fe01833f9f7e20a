/**
 * The way it is usually written: one job per call, and for each call a search for the person, a write of the person, a
 * write of the call log, and a task. It keeps HubSpot's limits as well as that can be done without batches: jobs start at
 * the rate that the searches allow, and a request that is answered 429 is sent again after a second. It has no keys, so a crash may write
 * twice.
 */
import { Worker } from 'bullmq';
import type { Body } from './body.ts';

const crm = process.env.BASELINE_CRM ?? 'hubspot';
const { deliver } = crm === 'salesforce' ? await import('./salesforce.ts') : await import('./hubspot.ts');
/** Salesforce counts by the day, so there nothing paces the jobs; nor where it is measured what the machine does. */
const paced = crm === 'hubspot' && !process.env.BASELINE_UNLIMITED;
const limiter = paced ? { limiter: { max: 5, duration: 1_000 } } : {};

const worker = new Worker<Body>('calls', ({ data }) => deliver(data), {
  connection: { url: process.env.REDIS_URL ?? '', maxRetriesPerRequest: null },
  prefix: process.env.WRAPUP_PREFIX ?? 'bull',
  concurrency: 20,
  ...limiter,
});
worker.on('error', () => {});
worker.on('failed', (_job, error) => console.error(JSON.stringify({ msg: error.message })));
await worker.waitUntilReady();
console.log(JSON.stringify({ port: 0, msg: 'baseline listens' }));
