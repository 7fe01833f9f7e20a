/** Plans of sample calls on their way through the engine, without a CRM. */

import type { CrmPerson, PersonWrite } from '../../../src/engine/people/person-verbs.ts';
import { beginWrite } from '../../../src/engine/people/person-write.ts';
import { beginPlan } from '../../../src/engine/plan/plan-write.ts';
import type { FieldRules } from '../../../src/engine/rows/row.ts';
import { makeMemoryCommons, makeMemoryContext } from '../../../src/index.ts';
import { type SampleCall, type SampleNames, samplePlan } from '../../../src/testing/sample-plan.ts';

export const NAMES: SampleNames = {
  ...{ call_log: 'calls', task: 'tasks', create_as: 'contact', owner: 'owner', title: 'title', subject: 'subject' },
  ...{ first_name: 'first', last_name: 'last', phone: 'phone', email: 'email', note: 'note' },
  ...{ call_log_extra: {}, task_extra: {} },
};

/** Takes every value as it is. */
export const PLAIN_RULES: FieldRules = { limitOf: () => 1_000, encode: (_object, _field, value) => value };

export const planOf = (call: Partial<SampleCall> = {}) => samplePlan(NAMES, { id: 'c1', ...call });

export function writeOf(call: Partial<SampleCall> = {}, index = 0): PersonWrite {
  return beginWrite(beginPlan(planOf(call), index), undefined);
}

export const personOf = (id: string, rest: Partial<CrmPerson> = {}): CrmPerson => ({
  ...{ id, object: 'contacts', properties: {} },
  ...rest,
});

export const newContext = () => makeMemoryContext(makeMemoryCommons());
