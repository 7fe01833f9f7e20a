/** What the platform says it judges a call by: https://docs.synthflow.ai/post-call-webhook */
import { expect, test } from 'vitest';
import { AGGREGATES, ANALYSIS_KEYS, CRITERIA } from '../src/index.ts';

const NAMES = [
  ...['persona', 'style', 'steps', 'no_repetition', 'objections', 'objection_not_defined', 'knowledge', 'goal'],
  ...['appointment', 'user_sentiment', 'agent_sentiment', 'call_completion', 'answered_by_human', 'opted_in'],
  ...['no_opt_out', 'call_summary'],
];

test('sixteen criteria with a remark each, and three aggregates', () => {
  expect(CRITERIA.map(({ name }) => name)).toEqual(NAMES);
  const aggregates = ['judge_found_partial_or_error', 'judge_found_full_error', 'all_feedback'];
  expect(ANALYSIS_KEYS).toEqual([...NAMES.flatMap((name) => [name, `${name}_feedback`]), ...aggregates]);
  for (const { label, says } of CRITERIA)
    expect([label, says]).toEqual([expect.stringMatching(/\w/), expect.stringMatching(/\w/)]);
});

test('what a criterion says of the person, asks for the opposite of its label, or is met in part', () => {
  const names = (flag: 'of_person' | 'inverted' | 'partial') =>
    CRITERIA.filter((criterion) => criterion[flag] === true).map(({ name }) => name);
  expect(names('of_person')).toEqual(['goal', 'appointment', 'user_sentiment', 'opted_in', 'no_opt_out']);
  expect(names('inverted')).toEqual(['no_opt_out']);
  expect(names('partial')).toEqual(['goal', 'user_sentiment']);
  expect(AGGREGATES.filter(({ text }) => text === true).map(({ name }) => name)).toEqual(['all_feedback']);
});
