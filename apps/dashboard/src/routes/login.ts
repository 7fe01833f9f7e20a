import type { Store } from '@wrapup/queue';
import { clientAddress, html, type Logger } from '@wrapup/telemetry';
import express, { type Request, type Response, Router } from 'express';
import { renderMessage, sendPage } from '../pages/layout.ts';
import { renderLogin } from '../pages/login-page.ts';
import { ask } from '../queries/ask-redis.ts';
import { makeLogFailure } from '../security/login-throttle.ts';
import type { CheckPassword } from '../security/password.ts';
import type { Principal } from '../security/principal.ts';
import {
  clearSessionCookie,
  readSessionCookie,
  setSessionCookie,
  setSignOnCookie,
  takeSignOnCookie,
} from '../security/session-cookie.ts';
import type { Sessions } from '../security/sessions.ts';
import { type BegunSignOn, CALLBACK_PATH, NoRole, type SingleSignOn } from '../security/single-sign-on.ts';
import { noticeOf } from './notices.ts';
import { noteAction, operatorOf } from './operator.ts';
import { fieldOf, queryOf } from './request.ts';

export interface LoginRoutesParts {
  sessions: Sessions;
  checkPassword: CheckPassword;
  log: Logger;
  /** Sign-in at an identity provider, where one is configured. */
  singleSignOn?: SingleSignOn | undefined;
  /** Whose audit holds who signed in and out. */
  store: Store;
}

/** `GET` and `POST /login`, and `POST /logout`: before anyone is known, behind the checks of host and origin. */
export function loginRoutes({ sessions, checkPassword, log, store, singleSignOn }: LoginRoutesParts): Router {
  const router = Router();
  const logFailure = makeLogFailure(log);
  const form = express.urlencoded({ extended: false, limit: '10kb' });

  router.get('/login', (request, response) => {
    const notice = noticeOf(queryOf(request, 'did'));
    response.send(
      renderLogin({ next: ownPath(queryOf(request, 'next')), notice, hasProvider: singleSignOn !== undefined }),
    );
  });

  router.post('/login', form, async (request, response) => {
    const user = fieldOf(request, 'user') ?? '';
    const next = ownPath(fieldOf(request, 'next'));
    const principal = await checkPassword(request, { user, password: fieldOf(request, 'password') ?? '' });
    if (!principal) {
      // Not 401, which would need a challenge, for which browsers open a dialog of their own.
      response.status(403);
      return void response.send(
        renderLogin({ next, notice: noticeOf('wrong'), hasProvider: singleSignOn !== undefined }),
      );
    }
    await signIn(request, response, principal);
    if (isUnseenTls(request)) {
      log.warn(
        { address: clientAddress(request) },
        'the browser speaks TLS with a proxy that is not trusted, so that the session cookie is not marked Secure: put the address of the proxy into DASHBOARD_TRUSTED_PROXY',
      );
    }
    response.redirect(303, next);
  });

  if (singleSignOn) addSingleSignOn(singleSignOn);

  /** The browser goes to the provider, and comes back with a code. Both are reads, so that the check of the origin lets them through. */
  function addSingleSignOn(provider: SingleSignOn): void {
    router.get('/login/provider', async (request, response) => {
      try {
        const { location, begun } = await provider.begin(ownPath(queryOf(request, 'next')));
        setSignOnCookie(request, response, Buffer.from(JSON.stringify(begun)).toString('base64url'));
        response.redirect(303, location);
      } catch (error) {
        logFailure(request, 'the identity provider does not answer', { err: error });
        const lines = ['The identity provider does not answer. Try again in a moment.'];
        response.status(503).send(renderMessage('Not now', lines));
      }
    });

    router.get(CALLBACK_PATH, async (request, response) => {
      const begun = readBegun(takeSignOnCookie(request, response));
      const principal = begun && (await proved(provider, begun, request));
      if (!begun || typeof principal !== 'object') {
        const why =
          principal === 'no role'
            ? 'No group of yours has a role here. Ask who runs Wrapup.'
            : 'The sign-in took too long, or is not the one that was begun here. Begin again.';
        return void response
          .status(403)
          .send(renderMessage('Not signed in', [why, html`<a href="/login">Sign in</a>`]));
      }
      await signIn(request, response, principal);
      // Not a redirect: that would still come from the other site, and browsers would not send the session with it.
      sendPage(response, {
        title: 'Signed in',
        refresh: { to: ownPath(begun.next) },
        menu: false,
        body: html`<p><a href="${ownPath(begun.next)}">Go on</a></p>`,
      });
    });
  }

  async function proved(
    provider: SingleSignOn,
    begun: BegunSignOn,
    request: Request,
  ): Promise<Principal | 'no role' | undefined> {
    const at = request.originalUrl.indexOf('?');
    try {
      return await provider.end(at < 0 ? '' : request.originalUrl.slice(at), begun);
    } catch (error) {
      if (error instanceof NoRole) {
        log.warn({ user: (error as Error).message }, 'the identity provider knows someone who has no role here');
        return 'no role';
      }
      logFailure(request, 'a sign-in at the identity provider proved nothing', { err: error });
      return undefined;
    }
  }

  async function signIn(request: Request, response: Response, principal: Principal): Promise<void> {
    const previous = await sessions.read(readSessionCookie(request));
    if (previous) await sessions.end(previous);
    const { token, session } = await sessions.start(principal);
    response.locals.identity = { principal, session };
    await ask(store, () => store.audit.note(operatorOf(request, response), { action: 'sign in' }));
    setSessionCookie(request, response, token, session.expires_at);
    noteAction(log, request, response, { action: 'sign in' });
  }

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

function readBegun(text: string | undefined): BegunSignOn | undefined {
  try {
    const begun = JSON.parse(Buffer.from(text ?? '', 'base64url').toString('utf8')) as BegunSignOn;
    return typeof begun.state === 'string' && typeof begun.verifier === 'string' ? begun : undefined;
  } catch {
    return undefined;
  }
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
