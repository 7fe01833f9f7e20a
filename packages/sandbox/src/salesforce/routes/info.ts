/** What the org has left, and where everything is. */
import { ok, type SalesforceEndpoint } from '../http/endpoint.ts';

const RESOURCES = ['composite', 'limits', 'parameterizedSearch', 'query', 'queryAll', 'search', 'sobjects'];

export const infoEndpoints: SalesforceEndpoint[] = [
  {
    method: 'GET',
    path: '/',
    operation: 'resources',
    handle: (call) => ok(Object.fromEntries(RESOURCES.map((name) => [name, `${call.root}/${name}`]))),
  },
  {
    method: 'GET',
    path: '/limits',
    operation: 'limits',
    handle: ({ org, settings: { limits } }) => {
      const most = limits.daily ?? 5_000_000;
      return ok({
        ConcurrentAsyncGetReportInstances: { Max: 200, Remaining: 200 },
        ContentPublicationLimit: { Max: 2_500, Remaining: 2_500 },
        DailyApiRequests: { Max: most, Remaining: Math.max(0, most - org.usage.used(limits)) },
        DailyBulkV2QueryJobs: { Max: 10_000, Remaining: 10_000 },
        DataStorageMB: { Max: 5, Remaining: 5 },
        FileStorageMB: { Max: 20, Remaining: 20 },
      });
    },
  },
];

/** Names of releases, by version. */
const SEASONS = ['Winter', 'Spring', 'Summer'];

export function versionsBetween(oldest: number, newest: number): object[] {
  return Array.from({ length: newest - oldest + 1 }, (_, at) => {
    const version = oldest + at;
    // Version 65 is that of Winter '26.
    const season = SEASONS[(((version - 65) % 3) + 3) % 3];
    const year = 26 + Math.floor((version - 65) / 3);
    return { label: `${season} '${year}`, url: `/services/data/v${version}.0`, version: `${version}.0` };
  });
}
