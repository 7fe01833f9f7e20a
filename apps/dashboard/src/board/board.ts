/**
 * Bull Board over all queues, to look and not to touch.
 *
 * It shows what our pages do not: which job waits where, its tries and times. It changes nothing, because each of its
 * buttons goes past the ledger, which leads here: a job that is removed or retried behind its back is put right again by
 * the next sweep, one whose data were edited in this redacted view would lose them, and a resumed queue may be one that
 * was paused for a reason. Replay and drop are on our own pages.
 */
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import type { Config } from '@wrapup/config';
import {
  ALERTS_QUEUE,
  CALLS_QUEUE,
  callsQueues,
  connectionOf,
  DEAD_QUEUE,
  isCallsQueue,
  MAINTENANCE_QUEUE,
  PARKED_QUEUE,
  RECONCILE_QUEUE,
  SCHEMA_CHECK_QUEUE,
  type Store,
} from '@wrapup/queue';
import type { Logger } from '@wrapup/telemetry';
import { type RequestHandler, Router } from 'express';
import { ASSETS } from '../pages/assets.ts';
import { renderForeignHeader } from '../pages/layout.ts';
import { ask } from '../queries/ask-redis.ts';
import { BOARD_POLICY } from '../security/headers.ts';
import { readBoardPage } from './board-page.ts';
import { redactData, redactProgress, redactReturnValue } from './redact.ts';
import { redactAnswer } from './redact-answer.ts';

export interface BoardParts {
  store: Store;
  config: () => Config;
  /** Names of the queues of calls and deliveries. */
  queues: () => Promise<string[]>;
  log: Logger;
  /** Where it is mounted. */
  basePath: string;
}

const TITLE = 'Queues';
const REFUSAL =
  'Jobs are not changed here: the ledger leads, and what is shown is redacted. Replay or drop deliveries under Parked and Dead.';
const UNAVAILABLE = {
  error: { key: 'ERRORS.REDIS_UNAVAILABLE' as const },
  message: 'Redis does not answer. The page works again by itself when Redis is back.',
};

const UI_CONFIG = {
  boardTitle: TITLE,
  boardLogo: { path: ASSETS.url('icon.svg'), width: 24, height: 24 },
  // Both would ask Redis for its clients at every poll; `parked` and `dead` have no worker on purpose.
  showWorkers: false,
  showMetrics: false,
  hideDocsLink: true,
  sortQueues: false,
};

const DESCRIPTIONS: Record<string, string> = {
  [CALLS_QUEUE]: 'Calls that came in: read, checked, routed',
  [PARKED_QUEUE]: 'Wait for a person: fix, then replay',
  [DEAD_QUEUE]: 'Given up after all attempts',
  [MAINTENANCE_QUEUE]: 'The sweep that puts right what a crash left half done',
  [RECONCILE_QUEUE]: 'Looks for calls whose webhook never came',
  [SCHEMA_CHECK_QUEUE]: 'Compares mappings with accounts, every hour',
  [ALERTS_QUEUE]: 'Notices to operators: a connection stopped, or was resumed',
};

export function makeBoard({ store, config, queues, log, basePath }: BoardParts): Router {
  const server = new ExpressAdapter();
  server.setBasePath(basePath);
  const adapters = new Map<string, BullMQAdapter>();
  const { replaceQueues } = createBullBoard({
    queues: [],
    serverAdapter: server,
    options: {
      uiConfig: UI_CONFIG,
      handlerHooks: {
        before({ method, route, request }) {
          if (method === 'get') return undefined;
          log.warn({ action: `${method} ${route}`, queue: request?.params?.queueName, refused: true }, 'queue board');
          return { allow: false, status: 403, message: REFUSAL };
        },
        after: ({ route }, answer) => ({ ...answer, body: redactAnswer(route, answer.body) as typeof answer.body }),
      },
    },
  });
  // What a handler throws goes past the hooks.
  server.setErrorHandler((error) => {
    const status = Number((error as { status?: unknown }).status);
    if (status >= 400 && status < 500) return { status: 400, body: { error: { key: 'ERRORS.INVALID_REQUEST_BODY' } } };
    log.error({ err: error }, 'the queue board could not be served');
    return { status: 503 as never, body: UNAVAILABLE };
  });

  /** New connections' queues appear, and so do those of connections that are no longer configured. */
  const refresh: RequestHandler = async (_request, response, next) => {
    try {
      const names = await ask(store, queues);
      const described = describeQueues(config());
      const wanted = [
        ...names,
        PARKED_QUEUE,
        DEAD_QUEUE,
        MAINTENANCE_QUEUE,
        RECONCILE_QUEUE,
        ALERTS_QUEUE,
        SCHEMA_CHECK_QUEUE,
      ];
      replaceQueues(
        wanted.map((name) => {
          const description = described(name);
          const key = `${name} ${description}`;
          const adapter = adapters.get(key) ?? openAdapter(store, name, description);
          adapters.set(key, adapter);
          return adapter;
        }),
      );
      next();
    } catch (error) {
      log.error({ err: error }, 'the queues could not be listed');
      response.status(503).set('retry-after', '2');
      response.json(UNAVAILABLE);
    }
  };

  const page = readBoardPage({ basePath: `${basePath}/`, title: `${TITLE} · Wrapup`, config: UI_CONFIG });
  const router = Router();
  router.use((_request, response, next) => {
    response.set('content-security-policy', BOARD_POLICY);
    next();
  });
  router.use('/api', refresh);
  router.use('/static', (_request, response, next) => {
    // Their names change with their contents.
    response.set('cache-control', 'private, max-age=3600');
    next();
  });
  router.get(/^\/(?!api\/|static\/)/, (_request, response) => {
    response.type('html').send(page(renderForeignHeader(response)));
  });
  const board = server.getRouter();
  board.disable('x-powered-by');
  board.disable('etag');
  router.use(board);
  return router;
}

/** What a queue is for; of a client or connection that is not configured, that it is not. */
function describeQueues({ sources, connections }: Config): (queue: string) => string {
  const calls = new Set(callsQueues(Object.keys(sources)));
  return (queue) => {
    const connection = connectionOf(queue);
    if (connection !== undefined)
      return Object.hasOwn(connections, connection)
        ? `Deliveries to ${connection}`
        : `unconfigured: ${connection} is not in wrapup.yaml; its deliveries are kept`;
    if (queue === CALLS_QUEUE || !isCallsQueue(queue)) return DESCRIPTIONS[queue] ?? '';
    const client = queue.slice(CALLS_QUEUE.length + 1);
    return calls.has(queue)
      ? `Calls of client ${client}: read, checked, routed`
      : `unconfigured: client ${client} has no source; its calls are kept`;
  };
}

function openAdapter(store: Store, name: string, description: string): BullMQAdapter {
  const adapter = new BullMQAdapter(store.queues.get(name) as never, {
    readOnlyMode: true,
    allowRetries: false,
    description,
    delimiter: '.',
    externalJobUrl: ({ data }) => linkTo(data),
  });
  adapter.setFormatter('data', redactData);
  adapter.setFormatter('returnValue', redactReturnValue);
  adapter.setFormatter('progress', redactProgress);
  return adapter;
}

/** The call that a job is about, on our own page. */
function linkTo(data: unknown): { displayText: string; href: string } {
  const { source, call_id } = (data ?? {}) as { source?: unknown; call_id?: unknown };
  if (typeof source !== 'string' || typeof call_id !== 'string') return { displayText: 'Calls', href: '/calls' };
  return {
    displayText: 'The call',
    href: `/calls/${encodeURIComponent(call_id)}?source=${encodeURIComponent(source)}`,
  };
}
