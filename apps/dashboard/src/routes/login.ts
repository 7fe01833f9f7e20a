import type { Store } from '@wrapup/queue';
import { clientAddress, type Logger } from '@wrapup/telemetry';
import express, { type Request, type Response, Router } from 'express';
import { renderLogin } from '../pages/login-page.ts';
import { ask } from '../queries/ask-redis.ts';
import type { CheckPassword } from '../security/password.ts';
import { clearSessionCookie, readSessionCookie, setSessionCookie } from '../security/session-cookie.ts';
import type { Sessions } from '../security/sessions.ts';
import { noticeOf } from './notices.ts';
import { noteAction, operatorOf } from './operator.ts';
import { fieldOf, queryOf } from './request.ts';

export interface LoginRoutesParts {
  sessions: Sessions;
  checkPassword: CheckPassword;
  log: Logger;
  /** Whose audit holds who signed in and out. */
  store: Store;
}

/** `GET` and `POST /login`, and `POST /logout`: before anyone is known, behind the checks of host and origin. */
export function loginRoutes({ sessions, checkPassword, log, store }: LoginRoutesParts): Router {
  const router = Router();
  const form = express.urlencoded({ extended: false, limit: '10kb' });

  router.get('/login', (request, response) => {
    const notice = noticeOf(queryOf(request, 'did'));
    response.send(renderLogin({ next: ownPath(queryOf(request, 'next')), notice }));
  });

  router.post('/login', form, async (request, response) => {
    const user = fieldOf(request, 'user') ?? '';
    const next = ownPath(fieldOf(request, 'next'));
    const principal = await checkPassword(request, { user, password: fieldOf(request, 'password') ?? '' });
    if (!principal) {
      // Not 401, which would need a challenge, for which browsers open a dialog of their own.
      response.status(403);
      return void response.send(renderLogin({ next, notice: noticeOf('wrong') }));
    }
    const previous = await sessions.read(readSessionCookie(request));
    if (previous) await sessions.end(previous);
    const { token, session } = await sessions.start(principal);
    response.locals.identity = { principal, session };
    await ask(store, () => store.audit.note(operatorOf(request, response), { action: 'sign in' }));
    setSessionCookie(request, response, token, session.expires_at);
    noteAction(log, request, response, { action: 'sign in' });
    if (isUnseenTls(request)) {
      log.warn(
        { address: clientAddress(request) },
        'the browser speaks TLS with a proxy that is not trusted, so that the session cookie is not marked Secure: put the address of the proxy into DASHBOARD_TRUSTED_PROXY',
      );
    }
    response.redirect(303, next);
  });

  router.post('/logout', async (request, response) => {
    await signOut(request, response);
    response.redirect(303, '/login?did=signed_out');
  });

  async function signOut(request: Request, response: Response): Promise<void> {
    const token = readSessionCookie(request);
    // First, so that the browser forgets it also when Redis cannot be asked.
    clearSessionCookie(request, response);
    const session = await sessions.read(token);
    if (!session) return;
    await sessions.end(session);
    response.locals.identity = { principal: session.principal, session };
    await ask(store, () => store.audit.note(operatorOf(request, response), { action: 'sign out' }));
    noteAction(log, request, response, { action: 'sign out' });
  }
  return router;
}

/** A path of this dashboard, and nothing that a browser would read as another site. */
function ownPath(wanted: string | undefined): string {
  if (!wanted?.startsWith('/') || !URL.canParse(wanted, BASE)) return '/';
  const { origin, pathname, search } = new URL(wanted, BASE);
  return origin === BASE && !pathname.startsWith('//') ? `${pathname}${search}` : '/';
}

const BASE = 'http://dashboard.invalid';

/** The page that sent the form came over TLS, as the browser says, and this request did not. */
function isUnseenTls(request: Request): boolean {
  return !request.secure && (request.headers.origin ?? '').startsWith('https:');
}
