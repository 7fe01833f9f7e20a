/** The CRM refuses, fails, hangs, commits and says nothing of it, answers what it should not. */

import { setTimeout as pause } from 'node:timers/promises';
import { upTo } from '../../support/random.ts';
import { atMoments, crm, type Fault, WRITES } from './scene.ts';

export const CRM_FAULTS: Fault[] = [
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
];
