import { type Call, emptyCall } from '@wrapup/call';

/** A connected call of this run: its own number of the range that is kept for fiction, its own address. */
export function samplePayloadCall(run: string, name: string): Call {
  const seed = Number.parseInt(run, 16);
  // 555-0100 to 555-0199 in any area code belong to no subscriber.
  const phone = `+1${AREAS[seed % AREAS.length]}5550${100 + (((seed >>> 8) + name.length) % 100)}`;
  const ended = new Date();
  return emptyCall({
    id: `${run}-${name}`,
    source: 'live',
    direction: 'outbound',
    started_at: new Date(ended.getTime() - 61_000).toISOString(),
    ended_at: ended.toISOString(),
    duration: 61,
    from_number: '+14155550100',
    to_number: phone,
    transcript: 'bot: Hello\nhuman: Hi',
    turns: [
      { speaker: 'agent', text: 'Hello' },
      { speaker: 'human', text: 'Hi' },
    ],
    lead: {
      name: `Wrapup ${name} ${run}`,
      first_name: 'Wrapup',
      last_name: `${name} ${run}`,
      phone,
      email: `wrapup-${name}-${run}@example.com`,
    },
    vars: { wants_callback: true },
  });
}

const AREAS = [212, 303, 312, 404, 415, 503, 512, 602, 617, 702, 713, 808, 901, 916];
