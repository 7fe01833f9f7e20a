/** The promises of Wrapup, and for each the test that fails when it is broken: file and a part of the test's name. */
export interface Promised {
  promise: string;
  file: string;
  test: string;
}

export const PROMISES: Promised[] = [
  {
    promise: 'Acknowledged means kept; Redis down, hung, read-only or full is 503 within a second',
    file: 'apps/ingress/test/redis-outage.test.ts',
    test: 'killed under load: every answer is 202 or 503 in time, and every 202 is found afterwards',
  },
  {
    promise: 'Exactly one effect on a CRM, also after a crash and for fifty copies at once',
    file: 'packages/destination/src/conformance/exactly-once.ts',
    test: 'fifty deliveries of one call at once, by two processes that share a memory, have one effect',
  },
  {
    promise: 'Every row is accounted for; one poisoned record never fails its neighbours',
    file: 'packages/destination/src/conformance/failures.ts',
    test: 'a poisoned record fails alone, names its mapping line, and leaves its neighbours written',
  },
  {
    promise: 'A failed look-up is never an empty result',
    file: 'packages/destination/src/conformance/people.ts',
    test: 'a failed look-up',
  },
  {
    promise: 'Quota is respected and shared, in order of urgency',
    file: 'packages/queue/test/quota.test.ts',
    test: 'rolls: no more go within any window than it allows, however many ask at once',
  },
  {
    promise: 'A broken connection stops itself, and resumes by itself',
    file: 'apps/worker/test/circuit.test.ts',
    test: 'stops the connection for all workers, keeps its calls unburnt, tells somebody once, and goes on once it is mended',
  },
  {
    promise: 'Older never overwrites newer',
    file: 'packages/destination/src/conformance/people.ts',
    test: 'an older call does not overwrite what a newer one said, in whichever order they come',
  },
  {
    promise: 'Nothing hides: written, on its way, parked or dead',
    file: 'test/faults/a-few-faults.test.ts',
    test: 'every acknowledged call ends in one call log, or where a person sees it',
  },
  {
    promise: 'Missed webhooks are found',
    file: 'test/e2e/missing-webhooks.test.ts',
    test: 'has every call in the CRM after reconciliation, each once',
  },
  {
    promise: 'Personal data stays small: sealed, redacted, forgotten',
    file: 'packages/queue/test/encryption.test.ts',
    test: 'are never in Redis in the clear, from the first moment on',
  },
];
