/** How calls of a demo go, one row a kind: how often, how long, what was said, what the platform makes of it. */
import type { VoiceCall, VoiceValue } from '../synthflow/call.ts';
import type { DemoPerson } from './people.ts';
import type { Chance } from './random.ts';

export interface Story {
  kind: string;
  /** Out of the sum of all. */
  weight: number;
  agent: 'inbound' | 'outbound';
  status: string;
  reason: string | null;
  custom?: string;
  /** Seconds of conversation, from and to. */
  seconds: [number, number];
  tell?(chance: Chance, person: DemoPerson): Partial<Pick<VoiceCall, 'turns' | 'collected' | 'extracted' | 'analysis'>>;
  /** The caller's name is not known. */
  nameless?: boolean;
}

const TOPICS = ['renewal', 'upgrade', 'pricing', 'complaint', 'support'];

/** Seats from which on a customer wants more than the offer. */
const LARGE = 25;

const agreed = (chance: Chance, person: DemoPerson) => {
  const budget = chance.whole(2, 40) * 500;
  const seats = chance.whole(3, 60);
  const callback = chance.next() < 0.4;
  return {
    turns: [
      ['bot', `Hello, this is Alice from Example Software. Am I speaking with ${person.name}?`],
      ['human', 'Yes, speaking.'],
      ['bot', 'Your plan ends next month. How many seats will you need?'],
      ['human', `Let me think. ${seats} should do.`],
      ['bot', 'And do you have a budget in mind?'],
      ['human', `About ${budget} a year.`],
      ['bot', 'Thank you. I will send an offer to the address that we have. Have a good day!'],
    ] as VoiceCall['turns'],
    collected: { user_name: person.name, email: person.email, budget: String(budget), wants_callback: callback },
    extracted: { topic: chance.pick(TOPICS), seats, interested: seats >= LARGE },
    analysis: judged({ goal: callback ? 'partial' : 'true' }),
  };
};

const short = (_chance: Chance) => ({
  turns: [
    ['bot', 'Hello, this is Alice from Example Software. Is this a good time?'],
    ['human', 'No, sorry. Please do not call again.'],
    ['bot', 'I understand. Goodbye.'],
  ] as VoiceCall['turns'],
  extracted: { topic: 'not interested' } as Record<string, VoiceValue>,
  analysis: judged({ goal: 'False', no_opt_out: 'false', user_sentiment: 'partial' }),
});

const booked = (chance: Chance, person: DemoPerson) => ({
  turns: [
    ['bot', `Hello, this is Alice from Example Software. Am I speaking with ${person.name}?`],
    ['human', 'Yes. I wanted to talk to a person about the new plan anyway.'],
    ['bot', 'I can book half an hour with a colleague for you. Would tomorrow suit you?'],
    ['human', 'Yes, in the morning.'],
    ['bot', 'It is booked. You will get an invitation by e-mail. Goodbye!'],
  ] as VoiceCall['turns'],
  collected: { user_name: person.name, email: person.email, appointment_booked: true },
  extracted: { topic: chance.pick(TOPICS) },
  analysis: judged({ appointment: 'true' }),
});

const wrongNumber = () => ({
  turns: [
    ['bot', 'Hello, this is Alice from Example Software. Is this a good time?'],
    ['human', 'You have the wrong number.'],
    ['bot', 'I am sorry. Goodbye.'],
  ] as VoiceCall['turns'],
  collected: { wrong_number: true } as Record<string, VoiceValue>,
  analysis: judged({ goal: 'false' }),
});

const mailbox = () => ({
  turns: [['human', 'Nobody can take your call now. Please leave a message after the tone.']] as VoiceCall['turns'],
  analysis: judged({ goal: 'false', answered_by_human: 'False' }),
});

const message = () => ({
  turns: [
    ['human', 'Please leave a message after the tone.'],
    ['bot', 'This is Alice from Example Software, about your plan. I will try again tomorrow.'],
  ] as VoiceCall['turns'],
  analysis: judged({ goal: 'false', answered_by_human: 'false' }),
});

const asks = (chance: Chance) => {
  const topic = chance.pick(TOPICS);
  return {
    turns: [
      ['bot', 'Example Software, good day. How can I help?'],
      ['human', `Hi, I have a question about ${topic}.`],
      ['bot', 'May somebody call you back about it tomorrow?'],
      ['human', 'Yes please, on this number.'],
    ] as VoiceCall['turns'],
    extracted: { topic, wants_callback: true },
    analysis: judged({}),
  };
};

export const STORIES: readonly Story[] = [
  {
    kind: 'answered',
    weight: 27,
    agent: 'outbound',
    status: 'completed',
    reason: 'human_goodbye',
    seconds: [45, 320],
    tell: agreed,
  },
  {
    kind: 'booked',
    weight: 9,
    agent: 'outbound',
    status: 'completed',
    reason: 'human_goodbye',
    seconds: [60, 240],
    tell: booked,
  },
  {
    kind: 'wrong number',
    weight: 2,
    agent: 'outbound',
    status: 'completed',
    reason: 'human_goodbye',
    seconds: [8, 20],
    tell: wrongNumber,
    nameless: true,
  },
  {
    kind: 'not interested',
    weight: 8,
    agent: 'outbound',
    status: 'completed',
    reason: 'custom_end_call',
    custom: 'Asked not to be called again',
    seconds: [8, 25],
    tell: short,
  },
  {
    kind: 'voicemail',
    weight: 14,
    agent: 'outbound',
    status: 'completed',
    reason: 'voicemail',
    seconds: [12, 40],
    tell: mailbox,
  },
  {
    kind: 'message left',
    weight: 8,
    agent: 'outbound',
    status: 'left_voicemail',
    reason: 'voicemail_message_left',
    seconds: [20, 45],
    tell: message,
  },
  { kind: 'no answer', weight: 15, agent: 'outbound', status: 'no-answer', reason: 'undefined', seconds: [0, 0] },
  { kind: 'busy', weight: 5, agent: 'outbound', status: 'busy', reason: null, seconds: [0, 0] },
  { kind: 'failed', weight: 2, agent: 'outbound', status: 'failed', reason: '608: Rejected', seconds: [0, 0] },
  {
    kind: 'incoming',
    weight: 10,
    agent: 'inbound',
    status: 'completed',
    reason: 'human_goodbye',
    seconds: [30, 200],
    tell: asks,
    nameless: true,
  },
];

const SUM = STORIES.reduce((sum, { weight }) => sum + weight, 0);

export function chooseStory(chance: Chance): Story {
  let left = chance.next() * SUM;
  for (const story of STORIES) {
    left -= story.weight;
    if (left < 0) return story;
  }
  return STORIES[0] as Story;
}

/** Judgements of a call that went well, but for what is given. */
function judged(differences: Record<string, string>): Record<string, string> {
  return {
    persona: 'true',
    style: 'true',
    goal: 'true',
    goal_feedback: '',
    user_sentiment: 'true',
    answered_by_human: 'True',
    no_opt_out: 'true',
    opted_in: 'not_applicable',
    call_summary: 'true',
    all_feedback: '',
    ...differences,
  };
}
