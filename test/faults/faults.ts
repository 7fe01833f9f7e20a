/** What goes wrong, one entry a fault. Each acts while calls come in, at moments that the seed chooses. */

import type { FaultSpec } from '@wrapup/sandbox';
import type { Random } from '../support/random.ts';
import { upTo } from '../support/random.ts';
import { type FaultSystem, pause } from './system.ts';
import type { WorkloadOptions } from './workload.ts';

export interface Scene {
  system: FaultSystem;
  random: Random;
  /** Resolves when so much of all calls (0 to 1) has been sent. */
  until(share: number): Promise<void>;
}

export interface Fault {
  /** For the command line: `npm run test:faults -- worker-killed`. */
  name: string;
  /** For the table. */
  what: string;
  /** Worker processes; default 1. */
  workers?: number;
  workload?: Partial<WorkloadOptions>;
  act(scene: Scene): Promise<void>;
}

/** Several moments in the middle of a run, in their order. */
function moments(random: Random, count: number): number[] {
  return Array.from({ length: count }, () => 0.05 + random() * 0.85).sort((a, b) => a - b);
}

/** Does something at several moments. */
function atMoments(count: number, act: (scene: Scene) => Promise<void>): Fault['act'] {
  return async (scene) => {
    for (const share of moments(scene.random, count)) {
      await scene.until(share);
      await act(scene);
    }
  };
}

/** The CRM fails so at several moments, for so many requests each time. */
function crm(count: number, specs: (random: Random) => FaultSpec[]): Fault['act'] {
  return atMoments(count, async ({ system, random }) => {
    system.sandbox.control.fault(...specs(random).map((spec) => ({ api: 'hubspot', ...spec })));
  });
}

/** Requests that change something. */
const WRITES = '/batch/(create|upsert|update)|/associations/';

export const FAULTS: Fault[] = [
  {
    name: 'worker-killed',
    what: 'The only worker is killed (SIGKILL) three times at random moments, and started again',
    act: atMoments(3, async ({ system }) => {
      const [worker] = system.workers;
      if (worker) await system.endWorker(worker, 'kill');
      await system.startWorker();
    }),
  },
  {
    name: 'worker-killed-of-two',
    what: 'One of two workers is killed while the other goes on',
    workers: 2,
    act: atMoments(2, async ({ system, random }) => {
      const worker = system.workers[upTo(random, system.workers.length)];
      if (worker) await system.endWorker(worker, 'kill');
      await system.startWorker();
    }),
  },
  {
    name: 'worker-killed-after-commit',
    what: 'The CRM commits and does not answer, and the worker is killed while it waits',
    act: atMoments(2, async ({ system }) => {
      system.sandbox.control.fault({ api: 'hubspot', kind: 'commit_then_hang', path: WRITES });
      const until = Date.now() + 5_000;
      while (system.sandbox.control.faults().length > 0 && Date.now() < until) await pause(10);
      const [worker] = system.workers;
      if (worker) await system.endWorker(worker, 'kill');
      system.sandbox.control.clearFaults();
      await system.startWorker();
    }),
  },
  {
    name: 'worker-frozen',
    what: 'One of two workers is frozen (SIGSTOP) until its jobs are taken over, then goes on',
    workers: 2,
    act: atMoments(1, async ({ system, random }) => {
      const worker = system.workers[upTo(random, 2)];
      if (!worker) return;
      system.freeze(worker, true);
      await pause(16_000);
      system.freeze(worker, false);
    }),
  },
  {
    name: 'rolling-restart',
    what: 'Both of two workers are stopped (SIGTERM) and replaced, one after the other',
    workers: 2,
    act: atMoments(2, async ({ system }) => {
      const [oldest] = system.workers;
      await system.startWorker();
      if (oldest) await system.endWorker(oldest, 'stop');
    }),
  },
  {
    name: 'rolling-deploy',
    what: 'A worker with another mapping joins, both reload at once, and the first is replaced: two mappings deliver side by side',
    workers: 1,
    act: async ({ system, random, until }) => {
      const [first] = system.workers;
      await until(0.1 + random() * 0.3);
      system.map('other');
      await system.startWorker();
      await until(0.6 + random() * 0.2);
      if (first) await system.endWorker(first, random() < 0.5 ? 'stop' : 'kill');
      system.map('usual');
    },
  },
  {
    name: 'ingress-killed',
    what: 'Ingress is killed twice with requests in hand, and started again',
    act: atMoments(2, async ({ system, random }) => {
      await system.killIngress();
      await pause(random() * 500);
      await system.startIngress();
    }),
  },
  {
    name: 'redis-killed',
    what: 'Redis is killed (SIGKILL), is away for up to a second, and comes back with its data',
    act: atMoments(2, ({ system, random }) => system.restartRedis('SIGKILL', random() * 1_000)),
  },
  {
    name: 'redis-restarted',
    what: 'Redis is restarted in an orderly way',
    act: atMoments(2, ({ system }) => system.restartRedis('SIGTERM', 0)),
  },
  {
    name: 'redis-paused',
    what: 'Redis hangs for up to four seconds with its connections open',
    act: atMoments(2, async ({ system, random }) => {
      system.pauseRedis(true);
      await pause(500 + random() * 3_500);
      system.pauseRedis(false);
    }),
  },
  {
    name: 'redis-cut-off',
    what: 'All connections to Redis are cut, five times',
    act: atMoments(5, async ({ system }) => {
      await system.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    }),
  },
  {
    name: 'redis-full',
    what: 'Redis reaches its memory limit for two seconds: writes are refused',
    act: atMoments(2, async ({ system }) => {
      await system.command('CONFIG', 'SET', 'maxmemory', String(Math.max(1, await system.usedMemory()) - 1));
      await pause(2_000);
      await system.command('CONFIG', 'SET', 'maxmemory', '0');
    }),
  },
  {
    name: 'crm-429-retry-after',
    what: 'The CRM answers 429 with Retry-After: 2',
    act: crm(4, () => [{ kind: 'status', status: 429, times: 3, headers: { 'Retry-After': '2' } }]),
  },
  {
    name: 'crm-429',
    what: 'The CRM answers 429, ten-secondly and search limits, without Retry-After',
    act: crm(3, () => [
      { kind: 'ten_secondly', times: 2 },
      { kind: 'secondly', path: '/search', times: 2 },
    ]),
  },
  {
    name: 'crm-503',
    what: 'The CRM answers 500, 502, 503 and 504 for some requests',
    act: crm(4, (random) => [{ kind: 'status', status: [500, 502, 503, 504][upTo(random, 4)] as number, times: 4 }]),
  },
  {
    name: 'crm-down',
    what: 'The CRM answers 503 to everything for six seconds',
    act: atMoments(1, async ({ system }) => {
      system.sandbox.control.fault({ api: 'hubspot', kind: 'status', status: 503, times: null });
      await pause(6_000);
      system.sandbox.control.clearFaults();
    }),
  },
  {
    name: 'crm-gone',
    what: 'The CRM says of contacts that they are gone while their calls are written beside them',
    act: crm(4, () => [
      {
        ...{ kind: 'status', status: 404, object: 'contacts', path: '/batch/update$', times: 8 },
        body: { status: 'error', category: 'OBJECT_NOT_FOUND', message: 'Object not found' },
      },
    ]),
  },
  {
    name: 'crm-refuses-contacts',
    what: 'The CRM refuses what calls say of contacts, or does not say what became of it, while their calls are written beside them',
    act: crm(4, (random) => [
      random() < 0.5
        ? {
            // As many as it takes to halve a batch down to some of its contacts.
            ...{ kind: 'status', status: 409, object: 'contacts', path: '/batch/update$', times: 8 },
            body: { status: 'error', category: 'CONFLICT', message: 'Contact already exists. Existing ID: 1' },
          }
        : { kind: 'commit_then_reset', object: 'contacts', path: '/batch/update$', times: 2 },
    ]),
  },
  {
    name: 'crm-401',
    what: 'The CRM takes no credentials for five seconds: the connection pauses and resumes by itself',
    act: atMoments(1, async ({ system }) => {
      system.sandbox.control.fault({ api: 'hubspot', kind: 'unauthorized', times: null });
      await pause(5_000);
      system.sandbox.control.clearFaults();
    }),
  },
  {
    name: 'crm-207-mixed',
    what: 'Of batches, some rows are left out of the answer although they took effect, and some although they did not',
    act: crm(4, (random) => [
      { kind: 'drop_rows', path: '/batch/(create|upsert)', rows: 1 + upTo(random, 3), commit: true },
      { kind: 'drop_rows', path: '/batch/(create|upsert)', rows: 1 + upTo(random, 3), commit: false },
    ]),
  },
  {
    name: 'crm-empty-2xx',
    what: 'The CRM answers 2xx with nothing in it, sometimes although it committed',
    act: crm(4, (random) => [{ kind: 'empty_success', path: WRITES, times: 2, commit: random() < 0.5 }]),
  },
  {
    name: 'crm-commit-then-reset',
    what: 'The CRM commits, and the connection is reset before its answer',
    act: crm(5, () => [{ kind: 'commit_then_reset', path: WRITES, times: 2 }]),
  },
  {
    name: 'crm-commit-then-500',
    what: 'The CRM commits and answers 500',
    act: crm(5, () => [{ kind: 'commit_then_500', path: WRITES, times: 2 }]),
  },
  {
    name: 'crm-hang',
    what: 'The CRM takes the request and never answers, before or after it committed',
    act: crm(2, (random) => [{ kind: random() < 0.5 ? 'hang' : 'commit_then_hang', path: WRITES }]),
  },
  {
    name: 'crm-slow-loris',
    what: 'The CRM sends half of its answer and then nothing any more, or ends there',
    act: crm(2, (random) => [{ kind: random() < 0.5 ? 'stall' : 'cut', path: WRITES }]),
  },
  {
    name: 'crm-not-json',
    what: 'A proxy answers in HTML, or JSON breaks off',
    act: crm(4, (random) => [{ kind: random() < 0.5 ? 'html' : 'broken_json', times: 3 }]),
  },
  {
    name: 'crm-slow',
    what: 'The CRM takes two seconds for an answer, many times',
    act: crm(3, () => [{ kind: 'slow', ms: 2_000, times: 6 }]),
  },
  {
    name: 'duplicates',
    what: 'Fifty copies of one call in twenty arrive at once',
    workload: { copies: 50 },
    act: async () => {},
  },
  {
    name: 'late-revisions',
    what: 'Half of the calls come again with other bytes, up to a second later',
    workload: { revisions: 0.5 },
    act: async () => {},
  },
  {
    name: 'everything',
    what: 'Two workers, of which one is killed, Redis is cut off, and the CRM commits and resets, in one run with revisions',
    workers: 2,
    workload: { revisions: 0.2, copies: 5 },
    act: async (scene) => {
      const { system, random } = scene;
      await crm(3, () => [{ kind: 'commit_then_reset', path: WRITES }])({
        ...scene,
        until: () => pause(random() * 500),
      });
      await scene.until(0.2 + random() * 0.3);
      const worker = system.workers[upTo(random, system.workers.length)];
      if (worker) await system.endWorker(worker, 'kill');
      await system.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      system.sandbox.control.fault({ api: 'hubspot', kind: 'status', status: 503, times: 3 });
      await system.startWorker();
    },
  },
];
