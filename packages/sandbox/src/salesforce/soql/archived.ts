/**
 * Activities that are over for a year are archived: `/query` hides them, `/queryAll` shows them.
 * https://developer.salesforce.com/docs/atlas.en-us.262.0.api.meta/api/sforce_api_guidelines_archive.htm
 */
import type { StoredSObject } from '../records/records.ts';

const YEAR = 365 * 86_400_000;

export function isArchived({ object, values }: StoredSObject): boolean {
  const over = object.name === 'Event' || (object.name === 'Task' && values.get('IsClosed') === true);
  if (!over) return false;
  const day = values.get('EndDateTime') ?? values.get('ActivityDate') ?? values.get('CreatedDate');
  return Date.parse(String(day)) <= Date.now() - YEAR;
}
