import type { LoginRole } from '@wrapup/config';
import { clockAt } from '@wrapup/mapping';
import { callable, escapeHtml, type Html, type HtmlPart, html } from '@wrapup/telemetry';
import type { Response } from 'express';
import { liveMark } from '../live/shared-pages.ts';
import { zoneOf } from '../queries/time-range.ts';
import type { ClientScope } from '../security/client-scope.ts';
import { SCRIPT_POLICY } from '../security/headers.ts';
import { hasRight, rightOf, roleOf } from '../security/rights.ts';
import { editorScriptUrl } from '../workbench/editor-script.ts';
import { ASSETS } from './assets.ts';

export interface PageParts {
  title: string;
  /** Path of the menu entry that this page belongs to. */
  at?: string | undefined;
  /** Said at the top: what was just done, or what went wrong. */
  notice?: PageNotice | undefined;
  /** Whether the menu is shown, which leads nowhere before the sign-in. Default: true. */
  menu?: boolean;
  /** Name of the session's operator, who can sign out. */
  user?: string | undefined;
  /** The client that the page is about, and those to choose from. */
  scope?: ClientScope | undefined;
  /** Of whom the page is for: buttons that it may not press are left out. Default: all are there. */
  role?: LoginRole | undefined;
  /** Time zone in which it shows times. Default: UTC. */
  zone?: string;
  /** It may be read again for the time zone of the browser, which the answer to a form may not. */
  isRepeatable?: boolean;
  /** Seconds after which the page is read again by itself. */
  refresh?: number | { to: string };
  /** Style and script of their own that it has beside those of all pages: name of both files. */
  extra?: 'worklist' | 'workbench';
  /** It moves while one looks. */
  live?: LivePage | undefined;
  /** Only what has to be put in place of it on a page that is open. */
  isFragment?: boolean;
  body: HtmlPart;
}

/**
 * A page that is read again as a whole; that of a call, once that has moved; or a list whose rows are, and how it says that there are
 * more: `12 new calls`.
 */
export type LivePage = 'page' | { call: { source: string; call_id: string } } | { one: string; many: string };

export interface PageNotice {
  kind: 'good' | 'bad' | 'note';
  text: string;
}

const MENU = [
  ['/', 'Overview'],
  ['/calls', 'Calls'],
  ['/parked', 'Parked'],
  ['/dead', 'Dead'],
  ['/omissions', 'Omissions'],
  ['/connections', 'Connections'],
  ['/playground', 'Workbench'],
  ['/setup', 'Set-up'],
  ['/audit', 'Audit'],
  ['/clients', 'Clients'],
  ['/queues/', 'Queues'],
] as const;
/** Of the installation as a whole. */
const WHOLE: ReadonlySet<string> = new Set(['/clients', '/queues/']);
/** Clients that a page offers to switch to; the others are typed, or chosen on the page of all of them. */
const MAX_CHOICES = 200;

/** A whole page. */
export function renderPage({
  title,
  at,
  notice,
  refresh,
  extra,
  live,
  isFragment = false,
  zone = 'UTC',
  isRepeatable = false,
  menu = true,
  user,
  scope,
  role = 'admin',
  body,
}: PageParts): string {
  const main = html`<main id="main"${isRepeatable && live && describeLive(live)}>
${notice && html`<p class="notice ${notice.kind}" role="status">${notice.text}</p>`}
${body}
</main>`;
  const whole = html`<!doctype html>
<html lang="en"${isRepeatable && html` data-zone="${zone}"`}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · Wrapup</title>
${refresh !== undefined && renderRefresh(refresh, live !== undefined)}
<link rel="icon" type="image/svg+xml" href="${ASSETS.url('icon.svg')}">
<link rel="stylesheet" href="${ASSETS.url('dashboard.css')}">
${extra && html`<link rel="stylesheet" href="${ASSETS.url(`${extra}.css`)}">`}
${
  isRepeatable &&
  html`<link id="live-at" rel="alternate" type="text/event-stream" href="${liveAddress(live)}">
<script src="${ASSETS.url('zone.js')}" async></script><script src="${ASSETS.url('live.js')}" defer></script>`
}
${extra && html`<script src="${extra === 'workbench' ? editorScriptUrl() : ASSETS.url(`${extra}.js`)}" defer></script>`}
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header>
<a class="brand" href="/">Wrapup</a>
${scope && renderSwitch(scope, at)}
${menu && html`<nav aria-label="Main">${renderMenu({ at, scope, role })}</nav>`}
${renderSignOut(user)}
</header>
${main}
</body>
</html>
`;
  return finish(hideRefused(String(isFragment ? main : whole), role), zone, scope);
}

function finish(page: string, zone: string, scope: ClientScope | undefined): string {
  const shown = localTimes(nameCommands(page), zone);
  return scope?.client === undefined || scope.isBound ? shown : carryClient(shown, scope.client);
}

/** A page that moves by its script is read again as a whole only where no script runs. */
function renderRefresh(refresh: NonNullable<PageParts['refresh']>, isLive: boolean): Html {
  const to = typeof refresh === 'object' ? `0; url=${refresh.to}` : refresh;
  const meta = html`<meta http-equiv="refresh" content="${to}">`;
  return isLive ? html`<noscript>${meta}</noscript>` : meta;
}

function describeLive(live: LivePage): Html {
  if (live === 'page') return html` data-live="page"`;
  return 'call' in live
    ? html` data-live="call"`
    : html` data-live="rows" data-one="${live.one}" data-many="${live.many}"`;
}

function liveAddress(live: LivePage | undefined): string {
  return typeof live === 'object' && 'call' in live
    ? `/live?${new URLSearchParams({ call: live.call.call_id, source: live.call.source })}`
    : '/live';
}

/** Where one can go from here, as far as role and login let one. */
function renderMenu({ at, scope, role = 'admin' }: Pick<PageParts, 'at' | 'scope' | 'role'>): Html[] {
  const entries = MENU.filter(
    ([path]) =>
      hasRight(role, rightOf('GET', path) ?? 'read') &&
      !(scope?.isBound && WHOLE.has(path)) &&
      (path !== '/clients' || at === path || hasClients(scope)),
  );
  return entries.map(([path, name]) => renderEntry(path, name, at));
}

function renderSignOut(user: string | undefined): HtmlPart {
  return (
    user !== undefined &&
    html`<form class="sign-out" method="post" action="/logout">${user} <button>Sign out</button></form>`
  );
}

/** Our header above a page that is not ours: Bull Board's. */
export function renderForeignHeader(response: Response): Html {
  const { identity, scope } = response.locals;
  const user = identity?.session && identity.principal.name;
  return html`<nav class="wrapup" aria-label="Main"><a class="brand" href="/">Wrapup</a> ${renderMenu({ at: '/queues/', scope, role: roleOf(response) })}${renderSignOut(user)}</nav>`;
}

const POST_FORM = /<form [^>]*method="post" action="([^"?]*)[^>]*>.*?<\/form>/gs;
/** What folds a form away, once the form is gone. */
const EMPTY_DETAILS = /<details[^>]*>\s*<summary>[^<]*<\/summary>\s*<\/details>/g;

/** Done to the finished page, so that no button can be forgotten; the server refuses the requests, too. */
function hideRefused(page: string, role: LoginRole): string {
  const may = (path: string) => {
    const right = rightOf('POST', path);
    return /^\/log(in|out)$/.test(path) || (right !== undefined && hasRight(role, right));
  };
  return page.replace(POST_FORM, (form, path: string) => (may(path) ? form : '')).replace(EMPTY_DETAILS, '');
}

/** Commands as they are called here, but for what an operator has typed: text fields, and the attributes of others. */
function nameCommands(page: string): string {
  const parts = page.split(/(<textarea.*?<\/textarea>|<[^>]*>)/s);
  return parts.map((part, index) => (index % 2 === 0 ? callable(part, escapeHtml) : part)).join('');
}

const UTC_TIME = /(<time datetime="([^"]+)">)[^<]* UTC<\/time>/g;

/** Every moment on the clock of who reads it. */
function localTimes(page: string, zone: string): string {
  if (zone === 'UTC') return page;
  return page.replace(UTC_TIME, (_, begin: string, iso: string) => {
    const local = new Date(clockAt(Date.parse(iso), zone)).toISOString().slice(0, 19).replace('T', ' ');
    return `${begin}${local}</time>`;
  });
}

function hasClients(scope: ClientScope | undefined): boolean {
  return scope !== undefined && (scope.choices.length > 0 || scope.client !== undefined);
}

/** Which client the page is about. It leads to the same list of another one, or of all. */
function renderSwitch(scope: ClientScope, at = '/'): HtmlPart {
  const { client, isBound, choices } = scope;
  if (isBound) return html`<span class="client">Client <b>${client}</b></span>`;
  if (!hasClients(scope)) return false;
  const path = WHOLE.has(at) ? '/' : at;
  return html`<form class="client" method="get" action="${path}"><label>Client <input name="client" list="clients" value="${client ?? ''}" placeholder="all" autocomplete="off" spellcheck="false"></label>
<datalist id="clients">${choices.slice(0, MAX_CHOICES).map((name) => html`<option value="${name}"></option>`)}</datalist>
<button>Switch</button></form>`;
}

const OWN_ADDRESS = / (href|action)="(\/(?!assets\/|queues\/|clients"|logout")[^"]*)"/g;
const SEARCH_FORM = /<form class="(?!client")[^"]*" method="get"[^>]*>/g;

/**
 * Every link and form of a page keeps the client that was chosen. Done to the finished page, so that no link can be
 * forgotten: quotes in text are escaped, so that only attributes match.
 */
function carryClient(page: string, client: string): string {
  const value = encodeURIComponent(client);
  return page
    .replace(SEARCH_FORM, (form) => `${form}<input type="hidden" name="client" value="${escapeHtml(client)}">`)
    .replace(OWN_ADDRESS, (whole, attribute: string, path: string) =>
      /[?;]client=/.test(path) ? whole : ` ${attribute}="${path}${path.includes('?') ? '&amp;' : '?'}client=${value}"`,
    );
}

function renderEntry(path: string, name: string, at: string | undefined): Html {
  return path === at ? html`<a href="${path}" aria-current="page">${name}</a>` : html`<a href="${path}">${name}</a>`;
}

/** Sends a whole page, with the operator's name and the way out where there is a session. */
export function sendPage(response: Response, parts: PageParts): void {
  const { identity, scope } = response.locals;
  const zone = zoneOf(response.req);
  const isRepeatable = response.req.method === 'GET' && parts.menu !== false;
  if (isRepeatable || parts.extra) response.set('content-security-policy', SCRIPT_POLICY);
  response.send(
    renderPage({
      ...parts,
      zone,
      isRepeatable,
      isFragment: isRepeatable && liveMark(response.req) !== undefined,
      scope,
      user: identity?.session && identity.principal.name,
      role: roleOf(response),
    }),
  );
}

/** Sends a part of a page, for a script that puts it in place of an older one. */
export function sendPart(response: Response, body: Html): void {
  response.set('x-part', 'result').send(finish(String(body), zoneOf(response.req), response.locals.scope));
}

/** A page with one message: not found, refused, unavailable. */
export function renderMessage(title: string, lines: readonly HtmlPart[]): string {
  return renderPage({ title, body: html`<h1>${title}</h1>${lines.map((line) => html`<p>${line}</p>`)}` });
}
