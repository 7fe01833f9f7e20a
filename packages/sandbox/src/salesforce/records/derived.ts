/** Fields that the vendor computes from the others whenever a record is written. */
import type { Org } from '../org.ts';
import { CASE_STATUSES, STAGES, TASK_STATUSES } from '../schema/standard-objects.ts';
import type { StoredSObject } from './records.ts';
import type { FieldValue } from './values.ts';

type Derived = Map<string, FieldValue | null>;

const DERIVERS: Record<string, (org: Org, record: StoredSObject, now: string) => Record<string, FieldValue | null>> = {
  Lead: (_org, record) => ({ Name: fullName(record), IsConverted: record.values.get('IsConverted') ?? false }),
  Contact: (_org, record) => ({ Name: fullName(record) }),
  Account: (_org, record) => (record.values.has('LastName') ? { Name: fullName(record), IsPersonAccount: true } : {}),
  Task: (org, record, now) => {
    const closed = isClosed(TASK_STATUSES, record.values.get('Status'));
    return {
      IsClosed: closed,
      IsHighPriority: record.values.get('Priority') === 'High',
      CompletedDateTime: closed ? (record.values.get('CompletedDateTime') ?? now) : null,
      ...activity(org, record),
    };
  },
  Event: (org, record) => activity(org, record),
  Opportunity: (_org, { values }) => {
    const stage = STAGES.find(({ value }) => value === values.get('StageName'));
    return {
      IsClosed: stage?.closed ?? false,
      IsWon: stage?.won ?? false,
      Probability: values.get('Probability') ?? stage?.probability ?? null,
    };
  },
  Case: (_org, { values }, now) => {
    const closed = isClosed(CASE_STATUSES, values.get('Status'));
    return { IsClosed: closed, ClosedDate: closed ? (values.get('ClosedDate') ?? now) : null };
  },
};

/** @param now as datetimes are stored */
export function derive(org: Org, record: StoredSObject, now: string): void {
  const derived = DERIVERS[record.object.name]?.(org, record, now);
  if (!derived) return;
  const known = Object.entries(derived).filter(([name]) => record.object.fields.has(name));
  const changed: Derived = new Map(known.filter(([name, value]) => (record.values.get(name) ?? null) !== value));
  if (changed.size > 0) org.records.derive(record, changed);
}

function fullName({ values }: StoredSObject): string {
  return [values.get('FirstName'), values.get('LastName')].filter(Boolean).join(' ');
}

function isClosed(statuses: { value: string; closed: boolean }[], status: FieldValue | undefined): boolean {
  return statuses.find(({ value }) => value === status)?.closed ?? false;
}

/** The account of an activity is that of whom or what it is about. */
function activity(org: Org, { values }: StoredSObject): Record<string, FieldValue | null> {
  for (const name of ['WhatId', 'WhoId']) {
    const id = values.get(name);
    const target = typeof id === 'string' ? org.record(id) : undefined;
    if (target?.object.name === 'Account') return { AccountId: target.id };
    const account = target?.values.get('AccountId');
    if (typeof account === 'string') return { AccountId: account };
  }
  return { AccountId: null };
}
