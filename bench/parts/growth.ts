/**
 * Whether a backlog costs more the longer it is: so many calls wait in Redis, then one worker starts and delivers them to
 * an endpoint that answers at once. Time and the worker's memory, from its start to the last call.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { makeConfig } from '../../test/support/config.ts';
import { phoneOf } from '../../test/support/phone.ts';
import { openInstallation } from '../installation.ts';
import { makeCall } from '../support/calls.ts';
import { comesTrue, eachOf } from '../support/watch.ts';

export interface GrowthFigures {
  rows: { calls: number; seconds: number; msPerCall: number; memory: number }[];
  /** Time per call of the longest backlog to that of the shortest. */
  ratio: number;
}

const CONFIG = makeConfig({
  connections: ['events: { kind: http, url: "${ENDPOINT}", allow_private: true, at_once: 50 }'],
  routes: ['- { name: events, to: events, mapping: mapping.yaml }'],
});

export async function measureGrowth(sizes: readonly number[]): Promise<GrowthFigures> {
  let arrived = 0;
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      arrived += 1;
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const rows: GrowthFigures['rows'] = [];
  try {
    for (const calls of sizes) {
      const installation = await openInstallation({
        config: CONFIG,
        mapping: 'extends: http/event\n',
        env: { ENDPOINT: endpoint },
        worker: false,
      });
      try {
        await eachOf(
          Array.from({ length: calls }, (_, n) => n),
          32,
          async (n) => {
            const payload = makeCall({ phone: phoneOf(n) });
            await installation.store.accept(
              {
                source: 'main',
                call_id: payload.call.call_id,
                body: Buffer.from(JSON.stringify(payload)),
                received: 'webhook',
                verified: 'signature',
                received_at: Date.now(),
              },
              90,
            );
          },
        );
        arrived = 0;
        const began = performance.now();
        await installation.startWorker();
        let memory = 0;
        let first = 0;
        await comesTrue(
          async () => {
            if (arrived > 0 && first === 0) first = performance.now();
            memory = Math.max(memory, await installation.memory());
            return arrived >= calls;
          },
          2_400_000,
          100,
        );
        const seconds = (performance.now() - (first || began)) / 1000;
        rows.push({ calls, seconds, msPerCall: (seconds * 1000) / calls, memory });
      } finally {
        await installation.close();
      }
    }
  } finally {
    server.close();
  }
  const [shortest, longest] = [rows[0], rows.at(-1)];
  return { rows, ratio: (longest?.msPerCall ?? Number.NaN) / (shortest?.msPerCall ?? Number.NaN) };
}
