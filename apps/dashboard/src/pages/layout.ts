import { type Html, type HtmlPart, html } from '@wrapup/telemetry';
import type { Response } from 'express';

export interface PageParts {
  title: string;
  /** Path of the menu entry that this page belongs to. */
  at?: string;
  /** Said at the top: what was just done, or what went wrong. */
  notice?: PageNotice | undefined;
  /** Whether the menu is shown, which leads nowhere before the sign-in. Default: true. */
  menu?: boolean;
  /** Name of the session's operator, who can sign out. */
  user?: string | undefined;
  /** Seconds after which the page is read again by itself. */
  refresh?: number;
  body: HtmlPart;
}

export interface PageNotice {
  kind: 'good' | 'bad' | 'note';
  text: string;
}

const MENU = [
  ['/', 'Calls'],
  ['/parked', 'Parked'],
  ['/dead', 'Dead'],
  ['/connections', 'Connections'],
  ['/playground', 'Playground'],
  ['/queues/', 'Queues'],
] as const;

/** A whole page. */
export function renderPage({ title, at, notice, refresh, menu = true, user, body }: PageParts): string {
  return String(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · Wrapup</title>
${refresh !== undefined && html`<meta http-equiv="refresh" content="${refresh}">`}
<link rel="icon" type="image/svg+xml" href="/assets/icon.svg">
<link rel="stylesheet" href="/assets/dashboard.css">
</head>
<body>
<header>
<a class="brand" href="/">Wrapup</a>
${menu && html`<nav aria-label="Main">${MENU.map(([path, name]) => renderEntry(path, name, at))}</nav>`}
${user !== undefined && html`<form class="sign-out" method="post" action="/logout">${user} <button>Sign out</button></form>`}
</header>
<main>
${notice && html`<p class="notice ${notice.kind}" role="status">${notice.text}</p>`}
${body}
</main>
</body>
</html>
`);
}

function renderEntry(path: string, name: string, at: string | undefined): Html {
  return path === at ? html`<a href="${path}" aria-current="page">${name}</a>` : html`<a href="${path}">${name}</a>`;
}

/** Sends a whole page, with the operator's name and the way out where there is a session. */
export function sendPage(response: Response, parts: PageParts): void {
  const { identity } = response.locals;
  response.send(renderPage({ ...parts, user: identity?.session && identity.principal.name }));
}

/** A page with one message: not found, refused, unavailable. */
export function renderMessage(title: string, lines: readonly HtmlPart[]): string {
  return renderPage({ title, body: html`<h1>${title}</h1>${lines.map((line) => html`<p>${line}</p>`)}` });
}
