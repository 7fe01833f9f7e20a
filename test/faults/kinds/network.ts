/** Networks that let nothing through in one direction, names that are not known, certificates that are not trusted. */
import { setTimeout as pause } from 'node:timers/promises';
import type { TcpProxy } from '../rigging/proxy.ts';
import type { FaultSystem } from '../system.ts';
import { atMoments, type Fault } from './scene.ts';

/** First what it says does not arrive, then what it is answered. What was held comes late, or its connections break. */
function oneWay(ofWhich: (system: FaultSystem) => TcpProxy, longest: number): Fault['act'] {
  return atMoments(2, async ({ system, random }, nth) => {
    const proxy = ofWhich(system);
    proxy.hold(nth === 0 ? 'requests' : 'answers');
    await pause(1_000 + random() * (longest - 1_000));
    proxy.release(random() < 0.5 ? 'late' : 'broken');
  });
}

export const NETWORK_FAULTS: Fault[] = [
  {
    name: 'one-way-ingress-redis',
    what: 'What ingress says does not reach Redis for up to four seconds; later Redis’ answers do not reach ingress. Afterwards it comes late, or the connections break',
    act: oneWay(({ redis }) => redis.proxies.ingress, 4_000),
  },
  {
    name: 'one-way-worker-redis',
    what: 'The same between worker and Redis, for up to fifteen seconds: longer than leases and locks hold',
    act: oneWay(({ redis }) => redis.proxies.worker, 15_000),
  },
  {
    name: 'one-way-worker-redis-of-two',
    what: 'The same for two workers, of which one is killed meanwhile',
    setup: { workers: 2 },
    act: atMoments(2, async ({ system, random }, nth) => {
      const proxy = system.redis.proxies.worker;
      proxy.hold(nth === 0 ? 'answers' : 'requests');
      await pause(random() * 3_000);
      const [worker] = system.workers;
      if (worker) await system.endWorker(worker, 'kill');
      await pause(random() * 12_000);
      proxy.release(random() < 0.5 ? 'late' : 'broken');
      await system.startWorker();
    }),
  },
  {
    name: 'one-way-worker-crm',
    what: 'What the worker says does not reach the CRM for up to fifteen seconds, and arrives after it was given up; later the CRM’s answers do not reach the worker',
    act: oneWay(({ crm }) => crm, 15_000),
  },
  {
    name: 'crm-no-name',
    what: 'The name of the CRM is not known (DNS) for up to six seconds, and its connections break',
    act: atMoments(2, async ({ system, random }) => {
      system.turnClocks(0, true);
      // What is open needs no name.
      system.crm.cut();
      await pause(1_000 + random() * 5_000);
      system.turnClocks(0);
    }),
  },
  {
    name: 'crm-foreign-certificate',
    what: 'The CRM shows a certificate that is not trusted for up to six seconds (TLS)',
    setup: { tls: true },
    act: atMoments(2, async ({ system, random }) => {
      system.showCertificate('foreign');
      await pause(1_000 + random() * 5_000);
      system.showCertificate('trusted');
    }),
  },
];
