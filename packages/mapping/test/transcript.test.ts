import { expect, test } from 'vitest';
import { someCall } from './support/call.ts';
import { plan } from './support/compile.ts';

const MAPPING = 'call_log: { title: A call, transcript: estimated }\n';

test('a call log carries who said what, and when, as well as the call tells it', () => {
  const [log] = plan(MAPPING).records;
  expect(log?.transcript).toEqual({
    times: 'estimated',
    at: { file: 'mappings/acme.yaml', line: 1, column: 40 },
    utterances: [
      { speaker: 'agent', name: 'Alice', text: 'Hello', start: 0, end: expect.closeTo((134 * 5) / 13) },
      {
        speaker: 'human',
        name: 'Dana Example',
        email: 'dana@example.com',
        text: 'Hi & bye',
        start: expect.closeTo((134 * 5) / 13),
        end: 134,
      },
    ],
  });
});

test('without times it is left out where they are to be exact, with the line that wanted it', () => {
  const planned = plan(MAPPING.replace('estimated', 'exact'));
  expect(planned.records[0]).not.toHaveProperty('transcript');
  expect(planned.left_out).toEqual([
    {
      field: 'call_log.transcript',
      reason: 'the source does not tell when 2 of 2 turns were said',
      at: { file: 'mappings/acme.yaml', line: 1, column: 40 },
    },
  ]);
});

test('callers and agents without a name are called what they are', () => {
  const call = someCall({ agent: {}, lead: { phone: '+14155550142' } });
  expect(plan(MAPPING, call).records[0]?.transcript?.utterances.map(({ name }) => name)).toEqual([
    'Agent',
    '+14155550142',
  ]);
});
