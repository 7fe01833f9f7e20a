/**
 * How long a ringing phone waits for its answer, through ingress and Redis as they ship, with the CRM in four states.
 *
 *   npm run bench:inbound
 *
 *   known       each caller is asked for the first time; the CRM answers in 40 ms
 *   again       the same callers call again: Redis remembers them
 *   slow        callers never asked for before; the CRM takes 5 s for everything
 *   down        callers never asked for before; the CRM cuts every connection
 *
 * The sandbox stands for a Professional account, which allows 5 searches a second: new callers come at 4 a second where
 * the CRM answers, and at 20 where it does not. Callers come by the clock, whether or not the ones before were answered.
 * Of a CRM that fails, the time until ingress leaves it alone is kept apart from the time after.
 */
import { makeConfig } from '../test/support/config.ts';
import { openInstallation } from './installation.ts';
import { percentile } from './support/statistics.ts';

const TOKEN = 'a-path-token-for-measuring';
const CALLERS = Number(process.argv[2] ?? 200);

interface Answer {
  /** ms since the first caller of the scenario. */
  at: number;
  ms: number;
  named: boolean;
}

const installation = await openInstallation({
  config: makeConfig({
    source: [`path_token: ["${TOKEN}"]`],
    rest: 'inbound:\n  look_up: sales\n  variables: { first_name: person.firstname }',
  }),
});
const { sandbox, ingress } = installation;
const url = `http://127.0.0.1:${ingress.port}/webhooks/main/${TOKEN}/inbound-call`;
try {
  const known = numbers(1);
  const contacts = known.map((phone) => ({ properties: { phone, firstname: 'Known' } }));
  sandbox.control.seed({ records: { contacts } });
  sandbox.control.settings({ hubspot: { search_lag: 0 } });
  await ask(numbers(9)[0] as string);

  console.log('scenario                     callers     p50     p99     max   caller named   asked of the CRM');
  await measure('known, first time', known, 4);
  await measure('known, again', known, 20);
  sandbox.control.settings({ hubspot: { latency: 5_000 } });
  await measureFailing('slow (5 s)', numbers(2));
  sandbox.control.settings({ hubspot: { latency: 40 } });
  await recover();
  sandbox.control.fault({ kind: 'reset', path: '/hubspot/', times: null });
  await measureFailing('down', numbers(3));
  sandbox.control.clearFaults();
} finally {
  await installation.close();
}

async function measure(name: string, phones: string[], rate: number): Promise<void> {
  const before = sandbox.control.requests().total;
  report(name, await callAll(phones, rate), sandbox.control.requests().total - before);
}

async function measureFailing(name: string, phones: string[]): Promise<void> {
  const before = sandbox.control.requests().total;
  const answers = await callAll(phones, 20);
  const requests = sandbox.control.requests().total - before;
  report(name, answers, requests);
  // Callers of the first moment wait in vain, until three of them have made ingress leave the CRM alone.
  const after = answers.filter(({ at }) => at > 3_000);
  if (after.length > 0) report('  from the fourth second on', after);
}

/** Until the CRM is asked again: a trial that succeeds behind some caller's back ends the pause. */
async function recover(): Promise<void> {
  const [phone = ''] = numbers(8);
  sandbox.control.seed({ records: { contacts: [{ properties: { phone, firstname: 'New' } }] } });
  const until = Date.now() + 180_000;
  while (!(await ask(phone)).named) {
    if (Date.now() > until) throw new Error('the CRM works again, and is not asked');
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

async function callAll(phones: string[], rate: number): Promise<Answer[]> {
  const began = performance.now();
  return Promise.all(
    phones.map(async (phone, index) => {
      const due = (index * 1_000) / rate;
      await new Promise((resolve) => setTimeout(resolve, due));
      const at = performance.now() - began;
      return { at, ...(await ask(phone)) };
    }),
  );
}

async function ask(phone: string): Promise<Omit<Answer, 'at'>> {
  const call_inbound = { model_id: 'a1', from_number: phone, to_number: '+14155550101' };
  const began = performance.now();
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ event: 'call_inbound', call_inbound }),
  });
  const text = await answer.text();
  const ms = performance.now() - began;
  if (answer.status !== 200 || !text.includes('"override_model_id":""')) {
    throw new Error(`a caller would have been hung up on: ${answer.status} ${text}`);
  }
  return { ms, named: text.includes('crm_person_id') };
}

function report(name: string, answers: Answer[], requests?: number): void {
  const times = answers.map(({ ms }) => ms);
  const named = answers.filter((answer) => answer.named).length;
  const shown = [percentile(times, 50), percentile(times, 99), Math.max(...times)].map((ms) =>
    `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`.padStart(8),
  );
  const asked = requests === undefined ? '' : String(requests).padStart(19);
  console.log(
    `${name.padEnd(27)} ${String(answers.length).padStart(8)}${shown.join('')}${String(named).padStart(15)}${asked}`,
  );
}

function numbers(block: number): string[] {
  return Array.from({ length: CALLERS }, (_, n) => `+1415${String(2_000_000 + block * 10_000 + n)}`);
}
