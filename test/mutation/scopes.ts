/** What is mutated, by which tests it is judged, and what is left alone, with the reason. */

export interface Scope {
  /** Name of the package, or of a part of it: `synthflow/signature`. */
  name: string;
  /** Source files whose lines are changed, as globs from the root. */
  mutate: readonly string[];
  /** Test files that have to notice it. */
  tests: readonly string[];
  /** Whether what is evaluated once, as a module loads, is changed as well: all tests are run for each. */
  loading: boolean;
  /** What of the package is not changed, and why. */
  without: Readonly<Record<string, string>>;
}

/** A mutant that changes nothing a test could notice. */
export interface Judged {
  file: string;
  /** The line, without its indentation. */
  line: string;
  /** What stood in its place, as `--survivors` prints it. */
  instead: readonly string[];
  why: string;
}

const INDEX = 'lists of exports';
const src = (name: string, files: readonly string[]) => files.map((file) => `packages/${name}/src/${file}.ts`);
const testsOf = (name: string) => `packages/${name}/test/**/*.test.ts`;
const synthflowTests = (...files: string[]) => files.map((file) => `packages/synthflow/test/${file}.test.ts`);

export const SCOPES: readonly Scope[] = [
  {
    name: 'call',
    mutate: ['packages/call/src/**/*.ts'],
    tests: [testsOf('call'), 'packages/synthflow/test/analysis.test.ts'],
    loading: true,
    without: { 'index.ts': INDEX },
  },
  {
    name: 'synthflow',
    mutate: src('synthflow', [
      ...['api/failure', 'api/records', 'fields/*', 'normalise'],
      ...['parse/call-id-reader', 'parse/json', 'parse/locate', 'parse/notes'],
    ]),
    // Tests of requests reach what is mutated here over sockets only.
    tests: ['packages/synthflow/test/!(client|transport).test.ts'],
    loading: false,
    without: {
      'api/client.ts, api/transport.ts, api/pages.ts':
        'requests: what they do wrong shows on sockets, in their own tests',
      'sample-payload.ts': 'makes payloads for tests and for trying a mapping',
      'parse/scan-json.ts, parse/times.ts, revisions.ts, signature.ts, trim-payload.ts, unproved.ts':
        'scopes of their own, by their own tests',
    },
  },
  {
    // Its patterns are evaluated as modules load, and are what it decides by.
    name: 'synthflow/signature',
    mutate: src('synthflow', ['signature', 'unproved']),
    tests: synthflowTests('signature', 'unproved'),
    loading: true,
    without: {},
  },
  {
    name: 'synthflow/revisions',
    mutate: src('synthflow', ['revisions', 'trim-payload']),
    tests: synthflowTests('revisions', 'revisions.merge', 'transfers-and-bookings', 'trim-payload', 'unproved'),
    loading: false,
    without: {},
  },
  {
    name: 'synthflow/scan',
    mutate: src('synthflow', ['parse/scan-json', 'parse/times']),
    tests: synthflowTests('call-id-reader', 'scan-json', 'times'),
    loading: false,
    without: {},
  },
  {
    name: 'mapping',
    mutate: ['language', 'model', 'texts', 'time', 'transforms', 'values'].map(
      (folder) => `packages/mapping/src/${folder}/*.ts`,
    ),
    tests: [testsOf('mapping')],
    loading: false,
    without: {
      'compile/*.ts, load/*.ts':
        'make functions of a file and report its mistakes: nearly every test of the package compiles a mapping, so that a mutant that none notices runs them all; not tried by mutants yet',
      'schema/*.ts': 'shapes and their descriptions, evaluated as the module loads',
      'language/list-roots.ts': 'what the reference and editors show; tests of packages/reference and apps/cli hold it',
      'transforms/mail-providers.ts': 'a list',
    },
  },
  {
    name: 'destination',
    mutate: src('destination', [
      'check/check-fields',
      'engine/people/match-people',
      'engine/people/person-write',
      'engine/people/said-addresses',
      'engine/plan/plan-write',
      'engine/records/find-keys',
      'engine/records/record-row',
      'engine/records/shared-key',
      'engine/rows/write-rows',
      'engine/rows/written-values',
      'port/failure',
      'port/omission',
    ]),
    tests: [testsOf('destination')],
    loading: false,
    without: {
      'engine/**/*.ts':
        'but for the files of people, plans, records and rows that the list names: stages that ask the CRM, judged by the conformance suite and the planted faults',
      'http/*.ts': 'requests',
      'port/context.ts, port/destination.ts, port/presets.ts, port/with-deadline.ts': 'interfaces, and a timer',
    },
  },
];

/** Files of a scope that are left alone, as globs. Of the write engine the list names those that are not. */
export function exclusionsOf({ name, without }: Scope): string[] {
  if (name === 'destination') return [];
  return Object.keys(without)
    .flatMap((files) => files.split(', '))
    .map((file) => `packages/${name}/src/${file}`);
}
