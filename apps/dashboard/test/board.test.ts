import { openRedis } from '@wrapup/queue';
import { Worker } from 'bullmq';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { PATIENCE } from '../../../test/support/patience.ts';
import { redisUrl } from '../../../test/support/redis.ts';
import { configOf, type Harness, parked, startDashboard } from './support/harness.ts';

const PERSONAL = {
  mail: 'jane.roe@example.com',
  international: '+1 415 555 0132',
  plain: '4155550132',
  national: '(415) 555-0132',
  name: 'Jane Roe',
};
const leaks = (text: string) => Object.values(PERSONAL).filter((value) => text.includes(value));
const said = `Contact ${PERSONAL.mail} with ${PERSONAL.international}, ${PERSONAL.plain} or ${PERSONAL.national} was refused`;

let connections = configOf().connections;
let dashboard: Harness;
let failedId: string;
beforeAll(async () => {
  dashboard = await startDashboard({ config: () => configOf({ connections }) });
  failedId = await failOne(dashboard);
});
afterAll(() => dashboard.close());

/** A job with personal data wherever a job can hold some, failed for real. */
async function failOne({ store }: Harness): Promise<string> {
  const queue = store.queues.deliveries('sales');
  const job = await queue.add(
    'delivery',
    {
      source: 'main',
      call_id: 'call-1',
      revision: 'r1',
      route: 'sales-calls',
      replays: 0,
      phone: PERSONAL.plain,
      person: { name: PERSONAL.name, email: PERSONAL.mail },
      [PERSONAL.mail]: true,
      note: said,
    } as never,
    { attempts: 1, jobId: 'd-failing', deduplication: { id: PERSONAL.mail } },
  );
  await job.log(`calling ${said}`);
  await job.updateProgress({ now: said });
  const redis = openRedis({ url: redisUrl() }, 'worker', () => {});
  const worker = new Worker(
    'deliveries.sales',
    async () => {
      throw new Error(said);
    },
    { connection: redis as never, prefix: store.keys.prefix },
  );
  worker.on('error', () => {});
  await vi.waitUntil(async () => (await queue.getJob(job.id as string))?.finishedOn, { timeout: PATIENCE });
  await worker.close();
  redis.disconnect();
  return job.id as string;
}

const api = async (path: string) => {
  const answer = await dashboard.get(`/queues/api${path}`);
  return { status: answer.status, text: await answer.text() };
};

describe('what the board serves', () => {
  it('the failed job really holds personal data in data, reason, stack and logs', async () => {
    const job = await dashboard.store.queues.deliveries('sales').getJob(failedId);
    const logs = await dashboard.store.queues.deliveries('sales').getJobLogs(failedId);
    for (const text of [
      JSON.stringify(job?.data),
      job?.failedReason ?? '',
      job?.stacktrace?.join('') ?? '',
      logs.logs.join(''),
    ]) {
      expect(leaks(text)).not.toEqual([]);
    }
  });

  it.each([
    '/queues',
    '/queues?activeQueue=deliveries.sales&status=failed&page=1&jobsPerPage=10',
    '/queues?activeQueue=deliveries.sales&status=latest&page=1&jobsPerPage=10',
    '/queues/deliveries.sales/d-failing',
    '/queues/deliveries.sales/d-failing/logs',
    '/queues/deliveries.sales/d-failing/flow',
    '/queues/deliveries.sales/default-job-options',
    '/job-schedulers',
  ])('%s shows none of it', async (path) => {
    const { status, text } = await api(path);
    expect(status).toBe(200);
    expect(leaks(text)).toEqual([]);
  });

  it('still shows what an operator needs', async () => {
    const { text } = await api('/queues/deliveries.sales/d-failing');
    const { job } = JSON.parse(text);
    expect(job).toMatchObject({
      id: 'd-failing',
      name: 'delivery',
      attempts: 1,
      data: {
        source: 'main',
        call_id: 'call-1',
        route: 'sales-calls',
        replays: 0,
        phone: '[redacted]',
        person: '[redacted]',
      },
      opts: { attempts: 1 },
      externalUrl: { href: '/calls/call-1?source=main' },
    });
    expect(job.failedReason).toMatch(/^Contact \[e-mail\] with \[number\]/);
    expect(job.stacktrace[0]).toContain('was refused');
    expect(JSON.parse((await api('/queues/deliveries.sales/d-failing/logs')).text)[0]).toMatch(
      /^calling Contact \[e-mail\]/,
    );
  });

  it('parked and dead show reason, hint, attempts and the way to the call', async () => {
    for (const state of ['parked', 'dead'] as const) {
      const id = await dashboard.seed(parked({ state, code: 'invalid_field', reason: 'No such option.' }));
      const { text } = await api(`/queues?activeQueue=${state}&status=waiting&page=1&jobsPerPage=10`);
      const queue = JSON.parse(text).queues.find(({ name }: { name: string }) => name === state);
      expect(queue.jobs).toContainEqual(
        expect.objectContaining({
          name: 'invalid_field',
          data: expect.objectContaining({ call_id: id, reason: 'No such option.', hint: 'Merge them.', attempts: 1 }),
          externalUrl: { displayText: 'The call', href: `/calls/${id}?source=main` },
        }),
      );
    }
  });

  it('ids of candidates stay in the reason, and a number in it does not', async () => {
    const reason = 'Two contacts have +1 415 555 0132. Candidates: id 70000000101, id 70000000102.';
    const id = await dashboard.seed(parked({ reason }));
    const { text } = await api('/queues?activeQueue=parked&status=waiting&page=1&jobsPerPage=10');
    const queue = JSON.parse(text).queues.find(({ name }: { name: string }) => name === 'parked');
    const job = queue.jobs.find(({ data }: { data: { call_id: string } }) => data.call_id === id);
    expect(job.data.reason).toBe('Two contacts have [number]. Candidates: id 70000000101, id 70000000102.');
  });

  it('an error says nothing of what it is about', async () => {
    const { status, text } = await api(`/queues/deliveries.sales/${encodeURIComponent(PERSONAL.mail)}`);
    expect(status).toBe(404);
    expect(leaks(text)).toEqual([]);
  });
});

describe('what the board may change', () => {
  const job = '/queues/deliveries.sales/d-failing';
  it.each([
    ['PATCH', `${job}/update-data`, { jobData: { source: '[redacted]' } }],
    ['PATCH', `${job}/delay`, { delay: 1 }],
    ['PATCH', `${job}/priority`, { priority: 1 }],
    ['PUT', `${job}/retry`, {}],
    ['PUT', `${job}/clean`, {}],
    ['PUT', `${job}/promote`, {}],
    ['POST', '/queues/deliveries.sales/add', { name: 'x', data: {}, options: {} }],
    ['PUT', '/queues/deliveries.sales/retry/failed', {}],
    ['PUT', '/queues/deliveries.sales/clean/failed', {}],
    ['PUT', '/queues/deliveries.sales/promote', {}],
    ['PUT', '/queues/deliveries.sales/empty', {}],
    ['PUT', '/queues/deliveries.sales/obliterate', { force: true }],
    ['PUT', '/queues/deliveries.sales/pause', {}],
    ['PUT', '/queues/deliveries.sales/resume', {}],
    ['PUT', '/queues/deliveries.sales/concurrency', { concurrency: 1 }],
    ['PUT', '/queues/deliveries.sales/rate-limit', { max: 1, duration: 1000 }],
    ['PUT', '/queues/pause', {}],
    ['PUT', '/queues/resume', {}],
  ])('%s %s is refused with a reason and logged', async (method, path, body) => {
    const queue = dashboard.store.queues.deliveries('sales');
    const before = await state(queue);
    const answer = await fetch(`${dashboard.url}/queues/api${path}`, {
      method,
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', origin: dashboard.url },
    });
    expect(answer.status).toBe(403);
    expect(((await answer.json()) as { message: string }).message).toContain('Replay or drop');
    expect(await state(queue)).toEqual(before);
    const line = dashboard.logged().trim().split('\n').at(-1) ?? '';
    expect(JSON.parse(line)).toMatchObject({ level: 'warn', refused: true, msg: 'queue board' });
    expect(leaks(dashboard.logged())).toEqual([]);
  });

  async function state(queue: ReturnType<Harness['store']['queues']['deliveries']>) {
    const job = await queue.getJob(failedId);
    return [await queue.getJobCounts(), await queue.isPaused(), job?.data, job?.attemptsMade, await job?.getState()];
  }

  it('says so to the page, which hides its buttons', async () => {
    const { queues } = JSON.parse((await api('/queues')).text);
    for (const queue of queues) expect(queue).toMatchObject({ readOnlyMode: true, allowRetries: false });
  });

  it('a body that is no JSON is the sender’s mistake', async () => {
    const answer = await fetch(`${dashboard.url}/queues/api/queues/calls/add`, {
      method: 'POST',
      body: '{',
      headers: { 'content-type': 'application/json', origin: dashboard.url },
    });
    expect(answer.status).toBe(400);
  });
});

describe('the queues on the board', () => {
  const names = async () => JSON.parse((await api('/queues')).text).queues.map(({ name }: { name: string }) => name);
  const describeQueue = async (name: string) =>
    JSON.parse((await api('/queues')).text).queues.find((queue: { name: string }) => queue.name === name)?.description;

  it('are all of them, and a new connection’s appears without a restart', async () => {
    expect((await names()).sort()).toEqual(
      [
        'alerts',
        'calls',
        'dead',
        'deliveries.alerts',
        'deliveries.sales',
        'examine',
        'maintenance',
        'parked',
        'reconcile',
      ].sort(),
    );
    connections = { ...connections, fresh: { name: 'fresh', kind: 'hubspot', settings: {} } };
    expect(await names()).toContain('deliveries.fresh');
  });

  it('include those of removed connections, which are called unconfigured', async () => {
    await dashboard.store.queues.deliveries('retired').add('delivery', { call_id: 'x' } as never);
    await vi.waitUntil(async () => (await names()).includes('deliveries.retired'), { timeout: PATIENCE });
    expect(await describeQueue('deliveries.retired')).toMatch(/^unconfigured/);
    const { fresh: _fresh, ...rest } = connections;
    connections = rest;
    // Nothing was ever queued for that one: there is nothing to keep.
    await vi.waitUntil(async () => !(await names()).includes('deliveries.fresh'), { timeout: PATIENCE });
  });
});

it('the page of the board loads nothing from elsewhere and holds no inline script or style', async () => {
  const page = await (await dashboard.get('/queues/queue/calls')).text();
  expect(page).toContain('<base href="/queues/" />');
  expect(page).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
  expect(page).not.toMatch(/<style|style="|onload=|<script>/);
  for (const [, path] of page.matchAll(/(?:src|href)="(static\/[^"]+)"/g)) {
    expect((await dashboard.get(`/queues/${path}`)).status).toBe(200);
  }
});
