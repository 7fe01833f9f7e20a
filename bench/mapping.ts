/**
 * What a mapping costs: microseconds to evaluate one of 40 fields, milliseconds until `wrapup check` has answered.
 *
 *   node scripts/run.mjs bench/mapping.ts
 *
 * Evaluation is measured in this process, on one core, over the samples; medians of rounds, after warming up. Start-up is
 * measured as a user sees it: a fresh process on the example configuration, from spawn to exit, median of eleven.
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { hubspotDialect } from '@wrapup/hubspot';
import { compileMapping } from '@wrapup/mapping';
import { normalise, SAMPLE_KINDS, samplePayload } from '@wrapup/synthflow/payload';

const ROOT = resolve(import.meta.dirname, '..');
const ROUNDS = 31;
const PER_ROUND = 4_000;

/** Forty fields of every form that real mappings use: 22 on the person, 8 on the call log, 10 on two tasks. */
const MAPPING = `time_zone: America/New_York
person:
  match: [id, email, phone]
  unmatched: { connected: create, default: log_only }
  fields:
    firstname: { from: lead.first_name, write: if_empty }
    lastname: { from: lead.last_name, write: if_empty }
    phone: lead.phone
    email: { from: vars.email, transform: [trim, lower, email], default: lead.email }
    country: lead.country
    campaign: prompt_variables.campaign
    plan: prompt_variables.plan
    budget: { from: vars.budget, transform: [trim, number] }
    seats: { from: vars.seats, transform: integer }
    topic: { from: vars.topic, transform: title_case }
    wants_callback: { from: vars.wants_callback, transform: boolean }
    goal: analysis.goal
    goal_remark: { from: analysis.goal_feedback, transform: { truncate: 200 } }
    sentiment: { from: analysis.user_sentiment, map: { "true": GOOD, "false": BAD }, default: { value: UNKNOWN } }
    opted_out: { from: analysis.no_opt_out, map: { "false": true }, write: never_unset }
    last_outcome: call.outcome
    last_agent: call.agent.name
    last_call: { from: call.ended_at, transform: datetime }
    last_day: { from: call.ended_at, transform: { date: America/New_York } }
    status: { from: call.outcome, map: { connected: CONNECTED, no_answer: ATTEMPTED }, default: OPEN }
    history: { from: "{{ call.ended_at | date }}: {{ call.outcome }}, {{ vars.topic | default: no topic }}", write: append }
    source_name: { value: Phone agent }
call_log:
  title: "{{ call.direction | default: Phone | title_case }} call: {{ call.outcome | title_case }}"
  body: { template: call-summary, transcript: full }
  fields:
    hs_timestamp: { from: call.started_at, transform: datetime }
    hs_call_direction: { from: call.direction, map: { inbound: INBOUND, outbound: OUTBOUND } }
    hs_call_duration: { from: call.duration, transform: seconds_to_ms }
    hs_call_from_number: call.from_number
    hs_call_to_number: call.to_number
    hs_call_recording_url: call.recording_url
tasks:
  - name: call-back
    when: { any: [ { path: vars.wants_callback, equals: true }, { path: call.outcome, in: [voicemail, no_answer] } ] }
    subject: "Call {{ lead.name | default: lead.phone }} back"
    body: "Topic: {{ vars.topic | default: unknown }}. Budget: {{ vars.budget | default: unknown }}."
    due_in: 1 business day at 09:00
    priority: MEDIUM
    status: NOT_STARTED
  - name: offer
    when: { all: [ { path: vars.budget, gte: 5000 }, { path: call.outcome, equals: connected } ] }
    subject: "Send {{ lead.first_name | default: lead.phone }} an offer for {{ vars.seats }} seats"
    body: "Budget {{ vars.budget }}"
    due_in: 2 hours
    priority: HIGH
    status: NOT_STARTED
`;

const { mapping, findings } = compileMapping({
  name: 'bench.yaml',
  text: MAPPING,
  dialect: hubspotDialect,
  readFile: () => undefined,
});
if (!mapping) throw new Error(JSON.stringify(findings));
const calls = SAMPLE_KINDS.map((kind) => normalise(samplePayload(kind), { source: 'main', default_country: 'US' }));
const plan = mapping.plan;
const fields = mapping.fields.filter(({ use }) => use === 'write').length;

const median = (numbers: number[]) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)] as number;

/** Microseconds of the clock and of the processor: on a busy machine they differ. */
function round(): { clock: number; cpu: number } {
  const before = process.cpuUsage();
  const start = process.hrtime.bigint();
  for (let n = 0; n < PER_ROUND; n += 1) plan(calls[n % calls.length] as never, 'bench');
  const clock = Number(process.hrtime.bigint() - start) / 1000 / PER_ROUND;
  const { user, system } = process.cpuUsage(before);
  return { clock, cpu: (user + system) / PER_ROUND };
}

round();
round();
const rounds = Array.from({ length: ROUNDS }, round);
const clock = rounds.map((one) => one.clock);
const cpu = rounds.map((one) => one.cpu);
const compiling = Array.from({ length: 21 }, () => {
  const start = process.hrtime.bigint();
  compileMapping({ name: 'bench.yaml', text: MAPPING, dialect: hubspotDialect, readFile: () => undefined });
  return Number(process.hrtime.bigint() - start) / 1e6;
});
const checking = Array.from({ length: 11 }, () => {
  const start = process.hrtime.bigint();
  const { status } = spawnSync(process.execPath, [resolve(ROOT, 'apps/cli/src/main.ts'), 'check'], {
    cwd: ROOT,
    env: { ...process.env, SYNTHFLOW_WEBHOOK_SECRET: randomBytes(32).toString('hex'), HUBSPOT_ACCESS_TOKEN: 'pat-x' },
  });
  if (status !== 0) throw new Error(`check exited with ${status}`);
  return Number(process.hrtime.bigint() - start) / 1e6;
});

process.stdout.write(`mapping of ${fields} fields, over ${calls.length} sample calls
  evaluation   ${median(cpu).toFixed(1)} µs of processor, ${median(clock).toFixed(1)} µs of the clock a call (medians of ${ROUNDS} rounds of ${PER_ROUND})
  compiling    ${median(compiling).toFixed(1)} ms (median of 21)
  wrapup check ${median(checking).toFixed(0)} ms from start to exit (median of 11)
`);
