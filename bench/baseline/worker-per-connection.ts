/** One BullMQ worker for each connection, all the time: each job is one event, posted to an endpoint. */
import { Worker } from 'bullmq';

const url = process.env.ENDPOINT ?? '';
const workers = Array.from(
  { length: Number(process.env.BASELINE_CONNECTIONS) },
  (_, index) =>
    new Worker(
      `deliveries.client-${index}`,
      async ({ data }) => {
        await fetch(url, { method: 'POST', body: JSON.stringify(data) });
      },
      { connection: { url: process.env.REDIS_URL ?? '', maxRetriesPerRequest: null }, concurrency: 20 },
    ),
);
for (const worker of workers) worker.on('error', () => {});
await Promise.all(workers.map((worker) => worker.waitUntilReady()));
console.log(JSON.stringify({ port: 0, msg: 'baseline listens' }));
