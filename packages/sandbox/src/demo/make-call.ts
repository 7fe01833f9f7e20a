import { randomUUID } from 'node:crypto';
import type { VoiceAgent, VoiceCall } from '../synthflow/call.ts';
import { nextPerson } from './people.ts';
import type { Chance } from './random.ts';
import { chooseStory, type Story } from './stories.ts';

/**
 * A call that begins to ring. Its story says what it becomes.
 * @param index of the call in its demo: decides who is called
 * @param ends epoch ms at which it will have ended, by its record
 */
export function makeCall(
  chance: Chance,
  index: number,
  agents: readonly VoiceAgent[],
  ends: number,
): { call: VoiceCall; story: Story } {
  const story = chooseStory(chance);
  const person = nextPerson(chance, index);
  const agent = agents.find(({ type }) => type === story.agent) ?? (agents[0] as VoiceAgent);
  const duration = chance.whole(...story.seconds);
  const call: VoiceCall = {
    id: randomUUID(),
    agent,
    lead: { phone: person.phone, ...(story.nameless ? {} : { name: person.name }) },
    prompt_variables: agent.type === 'outbound' ? { campaign: 'autumn-renewals', plan: chance.pick(PLANS) } : {},
    // Whole seconds, as a webhook tells them.
    started: Math.floor(ends / 1000 - duration) * 1000,
    duration,
    ringing: chance.whole(2, 24) * 1000,
    status: 'ringing',
    end_call_reason: null,
    custom_end_call_reason: null,
    turns: [],
    collected: {},
    extracted: {},
    analysis: null,
    ...story.tell?.(chance, person),
  };
  return { call, story };
}

const PLANS = ['Solo', 'Team', 'Business'];

/** The end of a call, as its story has it. */
export function endCall(call: VoiceCall, story: Story, now: number): void {
  call.status = story.status;
  call.end_call_reason = story.reason;
  call.custom_end_call_reason = story.custom ?? null;
  call.over = now;
}
