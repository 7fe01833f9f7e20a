/**
 * Everything the dashboard answers. In this order, and why in this order:
 *
 * headers          on every answer, refusals too
 * /healthz         machines ask, by any name
 * host             a foreign name for this machine gets nothing, not even the password prompt
 * /metrics         counts only, so without a password (`METRICS_TOKEN` apart), but by client: not beside logins of clients
 * /api/v1          by tokens alone: cookies and passwords mean nothing there, and so does the origin
 * /assets          what the sign-in page needs, the same in every installation
 * origin           of every write, signing in and out included
 * /login, /logout
 * identity         a session or HTTP Basic
 * scope            everything, or the one client that the login is bound to or the address names
 * /queues          read-only for every login
 * rights           what the role of the login allows
 * /live            streams that say that something has moved
 * pages
 */
import { type Config, hasClientLogins, type Users } from '@wrapup/config';
import type { Store } from '@wrapup/queue';
import { healthRoutes, html, type Logger, type Metrics } from '@wrapup/telemetry';
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import { apiRouter } from './api/router.ts';
import { makeBoard } from './board/board.ts';
import { addGauges } from './gauges.ts';
import { sharePages } from './live/shared-pages.ts';
import { type LiveLimits, liveRoutes } from './live/stream.ts';
import { Watch } from './live/watch.ts';
import { ASSETS } from './pages/assets.ts';
import { renderMessage } from './pages/layout.ts';
import { ask, Unavailable } from './queries/ask-redis.ts';
import { makeConnections, makeQueueNames } from './queries/connections.ts';
import { auditRoutes } from './routes/audit.ts';
import { actionRoutes } from './routes/calls/actions.ts';
import { callLookRoutes } from './routes/calls/call-looks.ts';
import { callRoutes } from './routes/calls/calls.ts';
import { clientRoutes } from './routes/clients.ts';
import { connectionRoutes } from './routes/connections.ts';
import type { HandlerParts, Latest } from './routes/handler-parts.ts';
import { loginRoutes } from './routes/login.ts';
import { omissionRoutes } from './routes/omissions.ts';
import { overviewRoutes } from './routes/overview.ts';
import { setupRoutes } from './routes/setup/setup.ts';
import { bulkPreviewRoutes } from './routes/unresolved/bulk-preview.ts';
import { decideRoutes } from './routes/unresolved/decide.ts';
import { unresolvedRoutes } from './routes/unresolved/unresolved.ts';
import { workbenchRoutes } from './routes/workbench/workbench.ts';
import { requireWhole, setScope } from './security/client-scope.ts';
import { setHeaders } from './security/headers.ts';
import { makeHosts, requireKnownHost } from './security/hosts.ts';
import { LoginThrottle } from './security/login-throttle.ts';
import { requireOwnOrigin } from './security/origin.ts';
import { makePasswordCheck, type PasswordCheckParts, TooManyGuesses } from './security/password.ts';
import { type Credentials, makeFindLogin } from './security/principal.ts';
import { enforceRights } from './security/rights.ts';
import { digestHashesWith, endedSessionsOf, Sessions } from './security/sessions.ts';
import { makeIdentify, requireIdentity } from './security/sign-in.ts';
import { SingleSignOn, type SingleSignOnOptions } from './security/single-sign-on.ts';
import { sendEditorScript } from './workbench/editor-script.ts';
import { Evaluator, type EvaluatorOptions } from './workbench/evaluator.ts';

export interface DashboardParts {
  /** Opened as `producer`, so that no page hangs when Redis does. */
  store: Store;
  /** The configuration as it is now; asked on every request, so that a reload takes effect at once. */
  config: () => Config;
  /** The same after a check of its files: for actions that must see a change made just before. */
  latest?: () => Promise<Latest>;
  log: Logger;
  metrics: Metrics;
  /** Of the login that sees the whole installation. Without it and without users no password is asked for, which is only right while nothing but loopback is listened on. */
  credentials?: Credentials;
  /** The logins of the users' file, as it is now. */
  users?: () => Users;
  /** Sign-in at an identity provider. */
  singleSignOn?: SingleSignOnOptions | undefined;
  /** For tests: epoch ms now, and what waits after wrong passwords. */
  now?: () => number;
  wait?: PasswordCheckParts['wait'];
  /** Addresses and CIDRs of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are trusted. */
  trustedProxies?: string[];
  /** Names that the dashboard is reached by, beside loopback and its own. */
  allowedHosts?: string[];
  /** Address that is listened on, when not all are. */
  host?: string;
  metricsToken?: string;
  /** Ends what is open for long once the process stops. */
  stopping?: AbortSignal;
  /** For tests: limits of live pages, and ms between two looks. */
  live?: Partial<LiveLimits> & { every?: number };
  /** Mappings are written into the folder of the configuration from the workbench. Default: they are not. */
  writesMappings?: boolean;
  /** How long the workbench evaluates a mapping. */
  evaluation?: EvaluatorOptions;
  /** Milliseconds between two looks for queues of connections that are no longer configured. Default 30,000. */
  lookEvery?: number;
}

/** Listening and stopping are the caller's. */
export function createDashboard(parts: DashboardParts): Express {
  const {
    store,
    config,
    latest = async () => ({ config: config(), broken: false }),
    log,
    metrics,
    credentials,
    users = (): Users => ({}),
    now,
    wait,
    trustedProxies = [],
    allowedHosts,
    host,
    metricsToken,
    writesMappings = false,
    evaluation,
    lookEvery,
  } = parts;
  const singleSignOn = parts.singleSignOn && new SingleSignOn(parts.singleSignOn);
  const hasLogins = credentials !== undefined || singleSignOn !== undefined || Object.keys(users()).length > 0;
  const connections = makeConnections(store, config, lookEvery);
  const queues = makeQueueNames(store, config, connections);
  addGauges(metrics, store, { config, queues, connections });
  const routes: HandlerParts = { store, config, latest, connections, log };
  const hosts = makeHosts(allowedHosts, host);

  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  app.set('trust proxy', trustedProxies);
  app.use(setHeaders);
  app.use(healthRoutes({}));
  app.use(
    requireKnownHost(hosts, (_request, response) => {
      response
        .status(403)
        .send(
          renderMessage('Not under this name', [
            'The dashboard was asked for under a name that it does not know, which may be a trick of another site.',
            'If the name is right, put it into DASHBOARD_ALLOWED_HOSTS and restart the dashboard.',
          ]),
        );
    }),
  );
  app.use(
    healthRoutes({
      metrics,
      metricsToken,
      hasClientLogins: () =>
        hasLogins && (hasClientLogins(config()) || Object.values(users()).some(({ client }) => client !== undefined)),
    }),
  );
  const throttle = new LoginThrottle(now);
  app.use('/api/v1', apiRouter({ ...routes, throttle, wait, now }));
  app.use('/assets', sendEditorScript(log));
  app.use('/assets', ASSETS.handler);
  app.use(
    requireOwnOrigin(hosts, (request, response) => {
      log.warn({ method: request.method, refused: true }, 'a write from another origin was refused');
      response
        .status(403)
        .send(
          renderMessage('Not from here', [
            'Only pages of the dashboard itself may change something. Nothing was changed.',
            'If a proxy stands in front, let it pass the Host header on, or put its name into DASHBOARD_ALLOWED_HOSTS.',
          ]),
        );
    }),
  );
  if (hasLogins) {
    const findLogin = makeFindLogin(credentials, config, users);
    const sessions = new Sessions(findLogin, endedSessionsOf(store), digestHashesWith(store), now, singleSignOn?.id);
    const checkPassword = makePasswordCheck({
      ...{ findLogin, hasHashes: () => Object.keys(users()).length > 0 },
      log,
      throttle,
      ...(wait && { wait }),
    });
    app.use(loginRoutes({ sessions, checkPassword, log, store, singleSignOn }));
    app.use(
      requireIdentity({
        identify: makeIdentify(sessions, checkPassword),
        sessions,
        refuse: (_request, response, why) => void response.send(renderMessage('Please sign in', [why])),
      }),
    );
  }
  app.use(
    setScope({
      config,
      hasCalls: (client) => ask(store, async () => (await store.ledger.count(client)) > 0),
      refuse: notFound,
    }),
  );
  app.use('/queues', requireWhole(refuseBound), makeBoard({ store, config, queues, log, basePath: '/queues' }));
  app.use(enforceRights(refuseRole));
  const watch = new Watch(store, parts.live?.every);
  app.use(liveRoutes({ watch, stopping: parts.stopping, limits: parts.live }));
  app.use(sharePages(now));
  app.use(clientRoutes(routes));
  app.use(overviewRoutes(routes));
  app.use(callRoutes(routes));
  app.use(callLookRoutes(routes));
  app.use(unresolvedRoutes(routes));
  app.use(decideRoutes(routes));
  app.use(bulkPreviewRoutes(routes));
  app.use(omissionRoutes(routes));
  app.use(actionRoutes(routes));
  app.use(connectionRoutes(routes));
  app.use(setupRoutes(routes));
  app.use(workbenchRoutes({ ...routes, evaluator: new Evaluator(evaluation), writesMappings }));
  app.use(auditRoutes(routes));
  app.use(notFound);
  app.use(explainError(log));
  return app;
}

const refuseBound: RequestHandler = (_request, response) => {
  response.send(
    renderMessage('Not with this login', ['The queues are those of all clients, and this login is bound to one.']),
  );
};

const refuseRole: RequestHandler = (_request, response) => {
  const lines = ['The role of this login does not allow it. Nothing was changed.'];
  response.send(renderMessage('Not with this role', lines));
};

const notFound: RequestHandler = (_request, response) => {
  response
    .status(404)
    .send(renderMessage('No such page', ['The address leads nowhere.', html`<a href="/">Overview</a>`]));
};

function explainError(log: Logger): ErrorRequestHandler {
  return (error, request, response, next) => {
    if (response.headersSent) return next(error);
    if (error instanceof Unavailable) {
      log.warn({ err: error }, 'Redis could not be asked');
      response.status(503).set('retry-after', '2');
      if (error.isFull)
        return void response.send(
          renderMessage('Redis is full', [
            'It is over its memory limit and takes nothing more, so that this could not be done. What it holds can still be read.',
            'Raise maxmemory, or shorten retention in wrapup.yaml. Webhooks are answered 503 until then, and come again.',
          ]),
        );
      return void response.send(
        renderMessage('Redis does not answer', [
          'The dashboard reads everything from Redis, which cannot be reached now. Nothing is lost by that.',
          'This page works again by itself when Redis is back: reload it then.',
        ]),
      );
    }
    if (error instanceof TooManyGuesses) {
      response.status(503).set('retry-after', '5');
      return void response.send(renderMessage('Too many sign-ins at once', ['Try again in a moment.']));
    }
    const status = Number((error as { status?: unknown }).status);
    if (status >= 400 && status < 500) {
      const why = status === 413 ? 'It is larger than what this page takes.' : 'It could not be read.';
      return void response.status(status).send(renderMessage('The request was not understood', [why]));
    }
    log.error({ err: error, method: request.method }, 'a page could not be made');
    response
      .status(500)
      .send(renderMessage('Something went wrong', ['It is a fault of the dashboard; its log says which.']));
  };
}
