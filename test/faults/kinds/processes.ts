/** Processes that die, hang, are replaced, have other clocks; and calls that come often. */

import { setTimeout as pause } from 'node:timers/promises';
import { upTo } from '../../support/random.ts';
import { type FaultSystem, freeze } from '../system.ts';
import { atMoments, crm, type Fault, WRITES } from './scene.ts';

/** Longer than it takes to use up the attempts of a delivery by killing the worker. */
const MAX_KILLING_MS = 240_000;

export const PROCESS_FAULTS: Fault[] = [
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
    setup: { workers: 2 },
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
      await untilFaultsHappened(system);
      const [worker] = system.workers;
      if (worker) await system.endWorker(worker, 'kill');
      system.sandbox.control.clearFaults();
      await system.startWorker();
    }),
  },
  {
    name: 'worker-frozen',
    what: 'One of two workers is frozen (SIGSTOP) until its jobs are taken over, then goes on',
    setup: { workers: 2 },
    act: atMoments(1, async ({ system, random }) => {
      const worker = system.workers[upTo(random, 2)];
      if (!worker) return;
      freeze(worker, true);
      await pause(16_000);
      freeze(worker, false);
    }),
  },
  {
    name: 'rolling-restart',
    what: 'Both of two workers are stopped (SIGTERM) and replaced, one after the other',
    setup: { workers: 2 },
    act: atMoments(2, async ({ system }) => {
      const [oldest] = system.workers;
      await system.startWorker();
      if (oldest) await system.endWorker(oldest, 'stop');
    }),
  },
  {
    name: 'rolling-deploy',
    what: 'A worker with another mapping joins, both reload at once, and the first is replaced: two mappings deliver side by side',
    setup: { workers: 1 },
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
    name: 'two-releases',
    what: 'An older release on the same Redis: a worker of it joins, ingress goes back to it and forth again, the worker of this release is killed meanwhile, and the older one is stopped',
    needsRelease: true,
    alone: 'it takes a checkout of the other release',
    act: async ({ system, random, until }) => {
      const { other_release } = system.setup;
      const [worker] = system.workers;
      await until(0.1 + random() * 0.1);
      const older = await system.startWorker(other_release);
      await until(0.3 + random() * 0.1);
      await system.killIngress();
      await system.startIngress(other_release);
      await until(0.55 + random() * 0.1);
      if (worker) await system.endWorker(worker, 'kill');
      await system.killIngress();
      await system.startIngress();
      await until(0.8 + random() * 0.1);
      await system.startWorker();
      await system.endWorker(older, 'stop');
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
    name: 'ingress-frozen',
    what: 'Ingress is frozen (SIGSTOP) for up to four seconds with requests in hand, twice',
    act: atMoments(2, ({ system, random }) => system.freezeIngress(500 + random() * 3_500)),
  },
  {
    name: 'worker-stalled-mid-write',
    what: 'The event loop of one of two workers stands still while the CRM has its request, for longer than lease and lock hold, and goes on then',
    setup: { workers: 2 },
    act: atMoments(1, async ({ system, random }) => {
      // Whichever has sent it: both stand still, and the other one goes on soon.
      system.sandbox.control.fault({ api: 'hubspot', kind: 'slow', ms: 1_500, path: WRITES });
      await untilFaultsHappened(system);
      const stalled = [...system.workers];
      for (const worker of stalled) freeze(worker, true);
      await pause(500);
      const [longer, shorter] = random() < 0.5 ? stalled : [...stalled].reverse();
      if (shorter) freeze(shorter, false);
      await pause(24_000);
      if (longer) freeze(longer, false);
    }),
  },
  {
    name: 'workers-stall-again',
    what: 'Both of two workers are frozen five times with writes in hand, each time until their jobs have stalled, and go on for a second in between',
    setup: { workers: 2 },
    alone: 'it takes minutes',
    act: atMoments(1, async ({ system, random }) => {
      for (let times = 0; times < 5; times += 1) {
        system.sandbox.control.fault({ api: 'hubspot', kind: 'slow', ms: 1_500, path: WRITES });
        await untilFaultsHappened(system);
        for (const worker of system.workers) freeze(worker, true);
        await pause(16_000);
        for (const worker of system.workers) freeze(worker, false);
        await pause(500 + random() * 1_000);
      }
    }),
  },
  {
    name: 'call-that-kills',
    what: 'The worker is killed each time that it begins one certain call, until that one has come to an end; the calls in hand beside it must not end with it',
    alone: 'it takes minutes',
    act: async (scene) => {
      const { system } = scene;
      await scene.until(0.3);
      // Long enough that no attempt ends before it is noticed.
      system.sandbox.control.fault({ api: 'hubspot', kind: 'slow', ms: 300, path: WRITES, times: 10_000 });
      await killOverOneCall(system);
      system.sandbox.control.clearFaults();
    },
  },
  {
    name: 'clock-forward',
    what: 'The clocks of all processes jump ahead by up to two minutes, and back again seconds later',
    act: atMoments(1, ({ system, random }) => turnClocks(system, 10_000 + random() * 110_000)),
  },
  {
    name: 'clock-back',
    what: 'The clocks of all processes jump back by up to two minutes, and ahead again seconds later',
    act: atMoments(1, ({ system, random }) => turnClocks(system, -10_000 - random() * 110_000)),
  },
  {
    name: 'clock-of-a-restart',
    what: 'Clocks jump ahead or back by up to two minutes, and the worker is killed while they are so',
    act: atMoments(1, async ({ system, random }) => {
      system.turnClocks((random() < 0.5 ? 1 : -1) * (10_000 + random() * 110_000));
      await pause(1_500);
      const [worker] = system.workers;
      if (worker) await system.endWorker(worker, 'kill');
      system.turnClocks(0);
      await system.startWorker();
    }),
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
    setup: { workers: 2 },
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
      await system.redis.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      system.sandbox.control.fault({ api: 'hubspot', kind: 'status', status: 503, times: 3 });
      await system.startWorker();
    },
  },
];

async function turnClocks(system: FaultSystem, ms: number): Promise<void> {
  system.turnClocks(ms);
  await pause(3_000);
  system.turnClocks(0);
}

/** Until the CRM has the requests that its faults are for, or none comes. */
async function untilFaultsHappened(system: FaultSystem): Promise<void> {
  const until = Date.now() + 5_000;
  while (system.sandbox.control.faults().length > 0 && Date.now() < until) await pause(10);
}

/** Kills the worker whenever an attempt at one certain delivery begins. */
async function killOverOneCall(system: FaultSystem): Promise<void> {
  const { ledger } = system.store;
  let chosen: { source: string; call_id: string } | undefined;
  let attempts = 0;
  const until = Date.now() + MAX_KILLING_MS;
  while (Date.now() < until) {
    await pause(5);
    [chosen] = chosen ? [chosen] : await ledger.openSince(Date.now());
    const delivery = chosen && (await ledger.read(chosen.source, chosen.call_id))?.deliveries[0];
    if (!delivery) continue;
    if (delivery.state !== 'queued') return;
    if (delivery.attempts <= attempts) continue;
    ({ attempts } = delivery);
    const [worker] = system.workers;
    if (worker) await system.endWorker(worker, 'kill');
    await system.startWorker();
  }
}
