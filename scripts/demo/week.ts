/**
 * A week of calls in a few minutes. The clocks of all processes begin seven days ago and go on from moment to moment: calls end,
 * their webhooks come, and all is written before the next moment begins. So each time, count and quota is what it would be.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { sign } from '@wrapup/synthflow';
import { type DemoInstallation, openInstallation } from './installation.ts';
import { type DemoSource, SHARES, SOURCES, seedOf } from './settings.ts';

const [HOUR_MS, DAY_MS, DAYS] = [3_600_000, 86_400_000, 7];
/** How busy the hours of a day are, from eight on, and the days of a week, from Sunday on. */
const HOURS = [5, 9, 12, 11, 7, 9, 12, 11, 10, 7, 4];
const OPENS = 8;
const WEEKDAYS = [0.15, 1, 1.1, 1.05, 1, 0.9, 0.3];
/** Of an hour, in which its calls end. */
const MINUTES = [11, 38];
/** The last calls end shortly before now. */
const LATEST_MS = 4 * 60_000;
const SETTLES_WITHIN_MS = 60_000;
const NO_LOGS = { api: 'hubspot', object: 'calls' };
/** Of a hundred moments, those whose calls meet a CRM that fails, and those that meet one which takes no call logs. */
const [BROKEN_AT, REFUSING_AT] = [
  [22, 61],
  [35, 52, 83],
];
/** Webhooks of these moments are lost in part, and the calls found by reconciliation. */
const LOST_AT = [30, 74];
/** Between these moments Salesforce takes no lead without an e-mail address. */
const [RULE_AT, RULE_GONE_AT] = [40, 55];
/** From this moment on Salesforce takes the token no more. */
const REVOKED_AT = 97;
/** Of a hundred calls, that come again with more in them. */
const REVISED = 5;

interface Moment {
  at: number;
  calls: number;
}

/** When how many calls end. @param now epoch ms */
export function planWeek(calls: number, now: number): Moment[] {
  const midnight = Math.floor(now / DAY_MS) * DAY_MS;
  const moments: { at: number; weight: number }[] = [];
  for (let day = midnight - (DAYS - 1) * DAY_MS; day <= midnight; day += DAY_MS) {
    const busy = WEEKDAYS[new Date(day).getUTCDay()] ?? 1;
    for (const [place, weight] of HOURS.entries())
      for (const minute of MINUTES)
        moments.push({ at: day + (OPENS + place) * HOUR_MS + minute * 60_000, weight: weight * busy });
  }
  const past = moments.filter(({ at }) => at < now - LATEST_MS - HOUR_MS);
  // However early or late it is, something has just come.
  past.push({ at: now - LATEST_MS, weight: 6 });
  const sum = past.reduce((all, { weight }) => all + weight, 0);
  let [given, due] = [0, 0];
  return past.flatMap(({ at, weight }) => {
    due += (weight / sum) * calls;
    const count = Math.round(due) - given;
    given += count;
    return count > 0 ? [{ at, calls: count }] : [];
  });
}

/** @param tell is given how many calls are done */
export async function runWeek(calls: number, tell: (done: number) => void): Promise<DemoInstallation> {
  const moments = planWeek(calls, Date.now());
  const demo = await openInstallation((moments[0]?.at ?? Date.now()) - HOUR_MS);
  try {
    for (const source of SOURCES) await demo.control(source, 'POST', 'seed', seedOf(source, calls));
    const placed = new Placed();
    for (const [n, moment] of moments.entries()) {
      const share = Math.floor((n / moments.length) * 100);
      const isAt = (places: readonly number[]) =>
        places.some((place) => place <= share && Math.floor(((n - 1) / moments.length) * 100) < place);
      await demo.turnTo(moment.at);
      if (isAt([REVOKED_AT])) await refuse(demo, 'bolt.main', { api: 'salesforce', kind: 'unauthorized', times: null });
      if (isAt([RULE_AT])) await setRule(demo, ['Email']);
      if (isAt([RULE_GONE_AT])) await setRule(demo, []);
      const isBroken = isAt(BROKEN_AT);
      if (isBroken) await refuse(demo, 'main', { api: 'hubspot', kind: 'status', status: 502, times: null });
      const isRefusing = isAt(REFUSING_AT);
      if (isRefusing) await refuse(demo, 'acme.main', { ...NO_LOGS, kind: 'status', status: 400, times: null });
      const lose = isAt(LOST_AT) ? 0.5 : 0;
      await Promise.all(
        placed
          .share(moment.calls)
          .map(([source, first, count]) => place(demo, { source, first, count, seed: n, lose })),
      );
      await settle(demo);
      if (isBroken) {
        // Failures in a row have paused the connection; it is probed, and the calls that wait go on.
        await demo.control('main', 'DELETE', 'faults');
        await demo.store.connections.probeNow('sales');
        await settle(demo, ['deliveries.sales']);
      }
      if (isRefusing) await demo.control('acme.main', 'DELETE', 'faults');
      if (isAt(LOST_AT)) {
        // Webhooks may be late: what ended half an hour ago is missing.
        await demo.turnTo(moment.at + 26 * 60_000);
        await demo.wrapup('reconcile');
        await settle(demo);
      }
      if (n % 4 === 0 && share < REVOKED_AT) await revise(demo, Math.ceil((moment.calls * REVISED * 4) / 100));
      tell(placed.all);
    }
    await demo.turnTo(Date.now());
    return demo;
  } catch (error) {
    await demo.close();
    throw error;
  }
}

/** Goes on placing a call now and then, for those who look at the pages, until the demo is closed. */
export async function goOn(demo: DemoInstallation, calls: number, signal: AbortSignal): Promise<void> {
  for (let n = 0; !signal.aborted; n += 1) {
    const source = SOURCES[n % 2] as DemoSource;
    await place(demo, { source, first: calls + n, count: 1, seed: calls + n, lose: 0 });
    await pause(4_000, undefined, { signal }).catch(() => {});
  }
}

/** How far each source is: its calls follow each other from moment to moment. */
class Placed {
  all = 0;
  readonly #first: Record<DemoSource, number> = { main: 0, 'acme.main': 0, 'bolt.main': 0 };

  /** @returns source, number of its first call, and how many, for so many calls of all */
  share(calls: number): [DemoSource, number, number][] {
    this.all += calls;
    let left = calls;
    return SOURCES.flatMap((source) => {
      const first = this.#first[source];
      const wanted = source === 'bolt.main' ? left : Math.round(this.all * SHARES[source]) - first;
      const count = Math.max(0, Math.min(left, wanted));
      left -= count;
      this.#first[source] += count;
      return count > 0 ? [[source, first, count] as [DemoSource, number, number]] : [];
    });
  }
}

interface Placing {
  source: DemoSource;
  first: number;
  count: number;
  seed: number;
  lose: number;
}

async function place(demo: DemoInstallation, { source, first, count, seed, lose }: Placing): Promise<void> {
  const secret = demo.secretOf(source);
  const spec = { calls: count, first, seed, lose: source === 'bolt.main' ? 0 : lose, rate: 1_000, pace: 0 };
  await demo.control(source, 'POST', 'demo', { ...spec, webhook: demo.webhookOf(source), secret });
  for (;;) {
    const status = (await demo.control(source, 'GET', 'demo')) as { running: boolean; webhooks: { answers: object } };
    if (status.running) await pause(20);
    else if (Object.keys(status.webhooks.answers).some((answer) => answer !== '202'))
      throw new Error(`webhooks of ${source} were answered ${JSON.stringify(status.webhooks.answers)}`);
    else return;
  }
}

const refuse = (demo: DemoInstallation, source: DemoSource, fault: object) =>
  demo.control(source, 'POST', 'faults', fault);

const setRule = (demo: DemoInstallation, Lead: string[]) =>
  demo.control('bolt.main', 'POST', 'settings', { salesforce: { validation: { Lead } } });

/** Waits until no job is left but those of paused connections. @param all names of queues of which none may be left */
async function settle({ store }: DemoInstallation, all: readonly string[] = []): Promise<void> {
  const until = Date.now() + SETTLES_WITHIN_MS;
  for (;;) {
    const queues = (await store.queues.read()).filter(
      ({ name, active, isPaused }) =>
        /^(calls|deliveries)/.test(name) && (active > 0 || !isPaused || all.includes(name)),
    );
    if (queues.length === 0) return;
    if (Date.now() > until) throw new Error(`calls did not settle: ${JSON.stringify(queues)}`);
    await pause(40);
  }
}

/** The last webhooks of bolt come again, with more in them than before. */
async function revise(demo: DemoInstallation, count: number): Promise<void> {
  const url = `${demo.sandboxes['bolt.main']}/synthflow/v2`;
  const headers = { authorization: 'Bearer any-key' };
  const ask = async (path: string) => (await fetch(`${url}${path}workspace_id=sandbox-workspace`, { headers })).json();
  const { response } = (await ask(`/logs?page_size=${count}&`)) as {
    response: { items: { webhook_log_id: string }[] };
  };
  for (const { webhook_log_id } of response.items) {
    const log = (await ask(`/logs/${webhook_log_id}?`)) as { response: { request_payload: WebhookBody } };
    const body = log.response.request_payload;
    const analysis = { ...body.analysis, steps: 'true' };
    await fetch(demo.webhookOf('bolt.main'), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'synthflow-signature': sign(body.call.call_id, demo.secretOf('bolt.main')),
      },
      body: JSON.stringify({ ...body, analysis }),
    });
  }
  await settle(demo);
}

interface WebhookBody {
  call: { call_id: string };
  analysis?: Record<string, string>;
}
