import { type Call, emptyCall } from '@wrapup/call';
import { formatFinding } from '@wrapup/findings';
import { type CompiledMapping, compileMapping, type Plan } from '@wrapup/mapping';
import { expect } from 'vitest';
import { httpDialect } from '../../src/index.ts';

/** What only the endpoint may see. */
export const PERSONAL = {
  name: 'Wilhelmina Featherstonehaugh',
  phone: '+14155550199',
  email: 'very.secret@example.com',
  said: 'my account number is hidden under the doormat',
};

export function someCall(change: Partial<Call> = {}): Call {
  return emptyCall({
    id: 'c1',
    source: 'main',
    agent: { id: 'a1', name: 'Alice' },
    started_at: '2026-11-20T10:00:00.000Z',
    ended_at: '2026-11-20T10:01:02.000Z',
    duration: 62,
    transcript: `human: ${PERSONAL.said}`,
    turns: [{ speaker: 'human', text: PERSONAL.said }],
    lead: {
      name: PERSONAL.name,
      first_name: 'Wilhelmina',
      last_name: 'Featherstonehaugh',
      email: PERSONAL.email,
      phone: PERSONAL.phone,
    },
    vars: { budget: 12_000, topic: 'renewal', 'with space': 'yes' },
    collected: { budget: { value: 12_000, collected: true } },
    analysis: { no_opt_out: 'true' },
    raw: { call: { call_id: 'c1', untouched: 'as it came' } },
    ...change,
  });
}

/** The mapping, which must compile without a single finding. */
export function compiled(text: string, files: Record<string, string> = {}): CompiledMapping {
  const { mapping, findings } = compile(text, files);
  expect(findings.map(formatFinding)).toEqual([]);
  if (!mapping) throw new Error('no mapping, and nothing said why');
  return mapping;
}

export function compile(text: string, files: Record<string, string> = {}) {
  return compileMapping({ name: 'mappings/http.yaml', text, dialect: httpDialect, readFile: (path) => files[path] });
}

export const WHOLE = 'extends: http/event\n';

export interface PlanOptions {
  mapping?: string;
  route?: string;
  revision?: string;
  resume?: NonNullable<Plan['resume']>;
}

export function planOf(
  call: Call = someCall(),
  { mapping = WHOLE, route = 'alerts', revision = 'r1', resume }: PlanOptions = {},
): Plan {
  return { ...compiled(mapping).plan(call, route), revision, ...(resume ? { resume } : {}) };
}
