import { ANALYSIS_KEYS, CRITERIA } from '@wrapup/call';
import { describe, expect, it } from 'vitest';
import { notesAt, read } from './support/read.ts';

const judge = (analysis: unknown) => read({}, { analysis });

describe('the analysis', () => {
  it.each<[unknown, string | undefined]>([
    ['true', 'true'],
    ['True', 'true'],
    ['TRUE', 'true'],
    [' false ', 'false'],
    ['Partial', 'partial'],
    ['not_applicable', 'not_applicable'],
    ['Not Applicable', 'not_applicable'],
    ['N/A', 'not_applicable'],
    [true, 'true'],
    [false, 'false'],
    [null, undefined],
    ['', undefined],
    [' ', undefined],
    [undefined, undefined],
  ])('%j is %s', (value, judged) => {
    const call = judge({ goal: value });
    expect(call.analysis.goal).toBe(judged);
    expect(Object.hasOwn(call.analysis, 'goal')).toBe(judged !== undefined);
    expect(call.notes).toEqual([]);
  });

  it('reads every criterion', () => {
    const given = Object.fromEntries(CRITERIA.map(({ name }) => [name, 'True']));
    expect(judge(given).analysis).toEqual(Object.fromEntries(CRITERIA.map(({ name }) => [name, 'true'])));
    expect(CRITERIA).toHaveLength(16);
    expect(new Set(ANALYSIS_KEYS).size).toBe(35);
  });

  it('keeps feedback as it was written', () => {
    const call = judge({ goal: 'partial', goal_feedback: 'The Goal was True to form.', all_feedback: 'None' });
    expect(call.analysis).toEqual({
      goal: 'partial',
      goal_feedback: 'The Goal was True to form.',
      all_feedback: 'None',
    });
    expect(judge({ goal_feedback: 'True' }).analysis).toEqual({ goal_feedback: 'True' });
  });

  it('keeps an unknown judgement, in lower case, and notes it', () => {
    const call = judge({ user_sentiment: 'Mixed' });
    expect(call.analysis.user_sentiment).toBe('mixed');
    expect(notesAt(call, 'analysis.user_sentiment')).toHaveLength(1);
  });

  it('keeps criteria that are not known', () => {
    expect(judge({ house_rule: 'True', house_text: 'As Spoken' }).analysis).toEqual({
      house_rule: 'true',
      house_text: 'As Spoken',
    });
  });

  it('is judge_results in REST records', () => {
    expect(read({ judge_results: { goal: 'True' } }).analysis).toEqual({ goal: 'true' });
  });

  it('notes values that are neither text nor judgement', () => {
    const call = judge({ goal: { value: true }, style: [] });
    expect(call.analysis).toEqual({});
    expect(call.notes).toHaveLength(2);
  });

  it.each([[null], [undefined], [''], [{}]])('may be missing: %j', (analysis) => {
    const call = judge(analysis);
    expect(call.analysis).toEqual({});
    expect(call.notes).toEqual([]);
  });

  it.each([['good'], [1], [['a']]])('that is no object is noted: %j', (analysis) => {
    expect(notesAt(judge(analysis), 'analysis')).toHaveLength(1);
  });

  it('does not take an answered judgement for a human: the end reason tells', () => {
    const call = read({ duration: 41, end_call_reason: 'voicemail' }, { analysis: { answered_by_human: 'True' } });
    expect(call.answered_by).toBe('machine');
  });
});
