/**
 * Calls as a day brings them, the same for the same seed: some people are in the CRM, some are not, many call more than
 * once, some calls leave a task, and a sender that gets no answer sends again.
 */

import { setTimeout as pause } from 'node:timers/promises';
import type { VoiceCall } from '@wrapup/sandbox';
import { SAMPLE_AGENTS, samplePayload } from '../../packages/synthflow/src/index.ts';
import { phoneOf } from '../support/phone.ts';
import { pick, type Random, upTo } from '../support/random.ts';
import type { FaultSystem } from './system.ts';

export interface PlannedCall {
  id: string;
  phone: string;
  payload: { call: { call_id: string } };
  /** Times that it is sent at once. */
  copies: number;
  /** What is sent under the same id later on. */
  revision?: { call: { call_id: string } };
  leavesTask: boolean;
}

export interface SentCall extends PlannedCall {
  /** The sender was answered 2xx. */
  acknowledged: boolean;
  /** The revision was. */
  revised: boolean;
}

export interface WorkloadOptions {
  calls: number;
  /** Copies of one call in every twenty; 1 in all others. */
  copies?: number;
  /** Share of calls that are sent once more with other bytes. */
  revisions?: number;
}

/** Calls in flight. */
const AT_ONCE = 8;
/** Times that a sender tries. */
const TRIES = 6;

/** @param name of the run: part of every call id, and what its numbers depend on */
export function planCalls(name: string, block: number, random: Random, options: WorkloadOptions): PlannedCall[] {
  const { calls, copies = 2, revisions = 0 } = options;
  const phones = Array.from({ length: Math.ceil(calls / 3) }, (_, n) => phoneOf(block * 1000 + n));
  return Array.from({ length: calls }, (_, n) => {
    const id = `${name}-${n}`;
    const phone = pick(random, phones);
    const leavesTask = random() < 0.3;
    const overrides = {
      call_id: id,
      phone,
      name: `Person ${phone.slice(-7)}`,
      collected: { email: null, wants_callback: leavesTask },
    };
    const payload = samplePayload('connected', overrides) as unknown as PlannedCall['payload'];
    const later = { ...overrides, collected: { ...overrides.collected, budget: upTo(random, 1000) } };
    return {
      id,
      phone,
      payload,
      leavesTask,
      copies: n % 20 === 0 ? copies : 1,
      ...(random() < revisions && { revision: samplePayload('connected', later) as unknown as PlannedCall['payload'] }),
    };
  });
}

/** Half of the people are in the CRM before they call, by their mobile number alone: their first call fills in the other one. */
export function seedPeople(system: FaultSystem, planned: readonly PlannedCall[]): void {
  const phones = [...new Set(planned.map(({ phone }) => phone))].sort();
  const known = phones.filter((_, n) => n % 2 === 0);
  system.sandbox.control.seed({
    records: { contacts: known.map((mobilephone) => ({ properties: { mobilephone } })) },
  });
}

/** The voice platform knows them, as its webhooks tell them. */
export function placeCalls(system: FaultSystem, planned: readonly PlannedCall[]): void {
  for (const { id, phone, leavesTask } of planned) {
    system.sandbox.control.place({
      ...{ id, agent: AGENT, lead: { name: `Person ${phone.slice(-7)}`, phone }, prompt_variables: {} },
      ...{
        started: Math.floor(Date.now() / 1000 - 120) * 1000,
        duration: 60,
        ringing: 3_000,
        over: Date.now() - 60_000,
      },
      ...{ status: 'completed', end_call_reason: 'human_goodbye', custom_end_call_reason: null, analysis: null },
      turns: [
        ['bot', 'Good morning.'],
        ['human', 'Good morning, I have a question.'],
      ],
      ...{ collected: { wants_callback: leavesTask }, extracted: {} },
    });
  }
}

/** The sandbox's own that calls out. */
const AGENT: VoiceCall['agent'] = {
  ...{ model_id: SAMPLE_AGENTS.outbound, name: 'Outbound', type: 'outbound', phone_number: '+14155550100' },
  ...{ external_webhook_url: null, inbound_call_webhook_url: null },
};

/** How far it has come: of 1. */
export interface Progress {
  share: number;
}

/**
 * Sends them, a few at once and over about `within` ms when nothing fails.
 * @param before what happens ahead of a call
 */
export async function sendCalls(
  system: FaultSystem,
  planned: readonly PlannedCall[],
  random: Random,
  progress: Progress,
  within: number,
  before: (call: PlannedCall) => Promise<unknown> = async () => {},
): Promise<SentCall[]> {
  const waiting = [...planned];
  const sent: SentCall[] = [];
  const pace = (within * AT_ONCE) / planned.length;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let call = waiting.shift(); call; call = waiting.shift()) {
        const { payload, copies, revision } = call;
        await before(call);
        const answers = await Promise.all(Array.from({ length: copies }, () => send(system, payload)));
        let revised = false;
        if (revision) {
          await pause(random() * 1_000);
          revised = await send(system, revision);
        }
        sent.push({ ...call, acknowledged: answers.some(Boolean), revised });
        progress.share = sent.length / planned.length;
        await pause(random() * 2 * pace);
      }
    }),
  );
  progress.share = 1;
  return sent;
}

/** Sends it until it is acknowledged, a few times. */
async function send(system: FaultSystem, payload: PlannedCall['payload']): Promise<boolean> {
  for (let tried = 0; tried < TRIES; tried += 1) {
    const status = await system.post(payload);
    if (status === 200 || status === 202) return true;
    if (status !== 0 && status !== 503) throw new Error(`ingress answered ${status}`);
    await pause(250 * 2 ** tried);
  }
  return false;
}
