/** Operators who act while things break, reconciliation beside what it would find, and two CRMs or two processes at once. */

import { setTimeout as pause } from 'node:timers/promises';
import { upTo } from '../../support/random.ts';
import { atMoments, crm, type Fault, reconcile, WRITES } from './scene.ts';

export const OPERATOR_FAULTS: Fault[] = [
  {
    name: 'operators',
    what: 'While the CRM refuses, fails, and commits without an answer, an operator pauses and resumes the connection, replays all of the last minute, and replays what is parked or dead',
    act: atMoments(3, async ({ system, random }) => {
      system.sandbox.control.fault(
        { api: 'hubspot', kind: 'commit_then_reset', path: WRITES, times: 2 },
        { api: 'hubspot', kind: 'status', status: 400, path: WRITES, times: 1 + upTo(random, 3) },
      );
      await system.wrapup('connections', 'pause', 'sales', '--reason', 'maintenance');
      await pause(random() * 1_000);
      await Promise.all([system.wrapup('connections', 'resume', 'sales'), system.wrapup('replay', '--since', '1m')]);
      await Promise.all([system.wrapup('parked', 'replay', '--all'), system.wrapup('dead', 'replay', '--all')]);
    }),
    afterwards: async (system) => {
      await system.wrapup('connections', 'resume', 'sales');
    },
  },
  {
    name: 'operator-replays-twice',
    what: 'Two operators replay all calls at once, twice, while a worker of two is killed',
    setup: { workers: 2 },
    act: atMoments(2, async ({ system }) => {
      const [worker] = system.workers;
      const replays = [0, 1].map(() => system.wrapup('replay', '--since', '5m'));
      await pause(1_000);
      if (worker) await system.endWorker(worker, 'kill');
      await Promise.all(replays);
      await system.startWorker();
    }),
  },
  {
    name: 'reconcile-meanwhile',
    what: 'Reconciliation runs, twice at once, while ingress and worker are killed: calls arrive by webhook and are fetched at the same moment. A webhook that says more than the API does waits five minutes for it',
    setup: { voice: true },
    act: atMoments(2, async ({ system }) => {
      await system.killIngress();
      const runs = [reconcile(system), reconcile(system)];
      const [worker] = system.workers;
      if (worker) await system.endWorker(worker, 'kill');
      await Promise.all([system.startIngress(), system.startWorker(), ...runs]);
    }),
    afterwards: reconcile,
  },
  {
    name: 'both-crms',
    what: 'Each call goes to HubSpot and Salesforce; both fail, commit without an answer, and the worker is killed',
    setup: { bothCrms: true },
    act: async (scene) => {
      await atMoments(3, async ({ system }, nth) => {
        for (const api of ['hubspot', 'salesforce'])
          system.sandbox.control.fault(
            { api, kind: 'commit_then_reset', times: 1, method: 'POST' },
            { api, kind: 'status', status: 503, times: 2 },
          );
        const [worker] = system.workers;
        if (nth !== 1) return;
        if (worker) await system.endWorker(worker, 'kill');
        await system.startWorker();
      })(scene);
    },
  },
  {
    name: 'one-crm-of-two-down',
    what: 'Each call goes to HubSpot and Salesforce; Salesforce answers 503 to everything for six seconds, and HubSpot goes on',
    setup: { bothCrms: true },
    act: atMoments(1, async ({ system }) => {
      system.sandbox.control.fault({ api: 'salesforce', kind: 'status', status: 503, times: null });
      await pause(6_000);
      system.sandbox.control.clearFaults();
    }),
  },
  {
    name: 'token-race',
    what: 'Two workers renew the token of one OAuth app, which lives for three seconds and whose refresh token is replaced each time',
    setup: { workers: 2, oauth: true },
    alone:
      'a process that dies between the answer and keeping it has lost the refresh token for good, as with any app whose tokens are replaced',
    act: async (scene) => {
      scene.system.sandbox.control.settings({ hubspot: { oauth: { expires_in: 3, rotate: true } } });
      await crm(3, () => [{ kind: 'unauthorized', times: 2 }])(scene);
    },
  },
];
