/** Headers of writes. */
import type { SalesforceSettings } from '../settings.ts';

/**
 * Assignment rules run unless a header prevents them, also on updates, and take records away from whom the mapping gave them.
 * https://developer.salesforce.com/docs/platform/api-rest/guide/headers-autoassign.html
 *
 * A duplicate rule that only warns refuses too, unless a header prevents it. An existing person is no duplicate because a call
 * is written to them. https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers_duplicaterules.htm
 */
export function headersFor(
  verb: 'create' | 'update',
  { assignment_rules, duplicates }: Pick<SalesforceSettings, 'assignment_rules' | 'duplicates'>,
): Record<string, string> {
  const save = verb === 'update' || duplicates === 'allow';
  return {
    'Sforce-Auto-Assign': assignment_rules ? 'TRUE' : 'FALSE',
    ...(save ? { 'Sforce-Duplicate-Rule-Header': 'allowSave=true' } : {}),
  };
}
