import { type Call, emptyCall } from '@wrapup/call';

/** A connected outbound call with something under every root. */
export function someCall(changes: Partial<Call> = {}): Call {
  return emptyCall({
    id: 'c-1',
    source: 'main',
    direction: 'outbound',
    agent: { id: 'a-1', name: 'Alice', number: '+14155550100' },
    started_at: '2026-11-20T18:04:12.000Z',
    ended_at: '2026-11-20T18:06:26.000Z',
    received_at: '2026-11-20T18:06:40.000Z',
    duration: 134,
    from_number: '+14155550100',
    to_number: '+14155550142',
    transcript: 'bot: Hello\nhuman: Hi & bye',
    turns: [
      { speaker: 'agent', text: 'Hello' },
      { speaker: 'human', text: 'Hi & bye' },
    ],
    recording_url: 'https://recordings.example.com/1.mp3',
    lead: {
      name: 'Dana Example',
      first_name: 'Dana',
      last_name: 'Example',
      email: 'dana@example.com',
      phone: '+14155550142',
      phone_raw: '4155550142',
      country: 'US',
    },
    vars: {
      budget: '12,000',
      seats: 20,
      wants_callback: 'True',
      topics: ['renewal', 'Security'],
      'best time': 'mornings',
      blank: '   ',
      nested: { deep: { value: 1 } },
    },
    collected: { budget: { value: '12,000', collected: true } },
    extracted: { seats: 20 },
    actions: { book: { name: 'book', return_value: { slot: '2026-12-01T10:00:00' } } },
    analysis: { goal: 'partial', persona: 'true', objections: 'not_applicable' },
    prompt_variables: { campaign: 'autumn' },
    metadata: { crm_person_id: 7001 },
    raw: { items: [{ sku: 'x-1' }], status: 'completed' },
    ...changes,
  });
}
