/** What may become of a request on its way: nothing wrong first, then each thing that goes wrong in the field. */
import type { CrmAnswer, CrmRequest } from '../world/crm-gate.ts';
import type { RedisRequest } from '../world/redis-gate.ts';
import type { LogicalProcess, Waiting, World } from '../world/world.ts';

/** One of the things that may become of it. */
export interface Outcome {
  weight: number;
  /** For the log and the story; empty where nothing went wrong. */
  what: string;
  /** @returns a digest for the log */
  run(): Promise<string | undefined> | Promise<void> | void;
}

/** As much of the stage as outcomes need. */
interface Scene {
  readonly world: World<Waiting>;
  readonly crmIs: 'well' | 'down' | 'refusing';
  crash(process: LogicalProcess): Promise<void>;
}

/** An answer of the CRM that is on its way back. */
export class LateAnswer implements Waiting {
  readonly kind = 'answer';
  readonly process: LogicalProcess;
  readonly what: string;
  readonly call: string | undefined;
  readonly deliver: () => void;

  constructor({ process, what, call }: CrmRequest, deliver: () => void) {
    this.process = process;
    this.call = call;
    this.what = `the answer to ${what}`;
    this.deliver = deliver;
  }
}

const OK = 400;

/** The other side has done it before anything else happens. */
const applied =
  <A, R>(request: { apply(): Promise<A> }, then: (answer: A) => R) =>
  async () =>
    then(await request.apply());

export function redisOutcomes(request: RedisRequest, scene: Scene): Outcome[] {
  const { process } = request;
  const isWorker = /^(?:worker|sweeper|reconciler)/.test(process.name);
  return [
    { weight: OK, what: '', run: () => request.send() },
    { weight: 2, what: 'crashes before Redis gets it', run: () => scene.crash(process) },
    { weight: 2, what: 'crashes after Redis has done it', run: applied(request, () => scene.crash(process)) },
    ...(isWorker
      ? [
          {
            weight: 2,
            what: 'Redis does it twice, as its first answer is lost',
            run: applied(request, () => request.send()),
          },
        ]
      : [
          { weight: 2, what: 'Redis does not answer', run: () => request.refuse() },
          { weight: 2, what: 'Redis does it and does not answer', run: applied(request, () => request.refuse()) },
        ]),
  ];
}

const json = (status: number, body: object, headers = {}): CrmAnswer => ({
  ...{ status, headers: { 'content-type': 'application/json', ...headers } },
  text: JSON.stringify({ status: 'error', ...body }),
});
const DOWN = json(503, { message: 'Service unavailable' });
const FAILED = json(500, { message: 'internal error' });
const BUSY = json(429, { errorType: 'RATE_LIMIT', policyName: 'TEN_SECONDLY_ROLLING' }, { 'retry-after': '2' });
const REFUSED = json(401, { category: 'INVALID_AUTHENTICATION', message: 'Authentication credentials not found.' });

export function crmOutcomes(request: CrmRequest, scene: Scene): Outcome[] {
  const { process } = request;
  if (scene.crmIs === 'down') return [{ weight: 1, what: '', run: () => request.answer(DOWN) }];
  if (scene.crmIs === 'refusing') return [{ weight: 1, what: '', run: () => request.answer(REFUSED) }];
  // Of what the client has given up only that may still come which cannot undo what was written since.
  if (request.isGivenUp && !request.onlyCreates) return [{ weight: 1, what: 'is given up', run: () => {} }];
  const answered = applied(request, (answer) => {
    request.answer(answer);
    return String(answer.status);
  });
  return [
    { weight: OK / 4, what: '', run: answered },
    { weight: 2, what: 'crashes before the CRM gets it', run: () => scene.crash(process) },
    { weight: 3, what: 'crashes after the CRM has committed', run: applied(request, () => scene.crash(process)) },
    { weight: 3, what: 'the CRM commits, and the connection breaks', run: applied(request, () => request.reset()) },
    { weight: 2, what: 'the connection breaks before the CRM gets it', run: () => request.reset() },
    { weight: 2, what: 'the CRM commits and answers 500', run: applied(request, () => request.answer(FAILED)) },
    { weight: 2, what: 'the CRM answers 503', run: () => request.answer(DOWN) },
    { weight: 2, what: 'the CRM answers 429', run: () => request.answer(BUSY) },
    { weight: 2, what: 'the CRM gets it twice, and answers the second', run: applied(request, answered) },
    { weight: 2, what: 'the CRM commits and never answers', run: applied(request, () => {}) },
    {
      weight: 4,
      what: 'the CRM commits, and its answer takes long',
      run: applied(request, (answer) => {
        scene.world.waiting.push(new LateAnswer(request, () => request.answer(answer)));
      }),
    },
    ...(request.onlyCreates
      ? [
          {
            weight: 2,
            what: 'the connection breaks, and the CRM gets it later',
            run: () => {
              request.reset();
              scene.world.waiting.push(new LateAnswer(request, () => void request.apply()));
            },
          },
        ]
      : []),
  ];
}
