/** The page. It holds no script and no style of its own, so that the policy it is served under can forbid both. */

import { type Html, html } from '@wrapup/telemetry';
import type { RequestCounts } from '../control/request-log.ts';
import { ASSETS } from './assets.ts';
import type { Fact, TimelineEntry } from './timeline.ts';
import type { PersonView, View } from './view.ts';

export interface PageState {
  views: View[];
  requests: RequestCounts;
  faults: number;
}

export function renderPage(state: PageState): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Wrapup sandbox</title>
<link rel="icon" type="image/svg+xml" href="${ASSETS.url('icon.svg')}">
<link rel="stylesheet" href="${ASSETS.url('sandbox.css')}">
<noscript><meta http-equiv="refresh" content="5"></noscript>
<script src="${ASSETS.url('refresh.js')}" defer></script>
</head>
<body>
<header>
<div class="name"><span class="mark" aria-hidden="true"></span><div><h1>Wrapup sandbox</h1><p>${sentence(state.views)} Nothing here leaves this machine.</p></div></div>
</header>
<main id="live">
${renderCounts(state)}
${state.views.map((view) => renderCrm(view, state.views.length > 1))}
</main>
<footer>Steer it through <code>/_sandbox</code>: state, requests, journal, faults, settings, seed, reset.</footer>
</body>
</html>
`;
}

/** `A local HubSpot (account number 1) and a local Salesforce (…).` */
function sentence(views: View[]): string {
  return `${views.map(({ crm, about }, at) => `${at === 0 ? 'A' : 'a'} local ${crm} (${about})`).join(' and ')}.`;
}

/** @param named with several CRMs on the page, each has its name above it */
function renderCrm(view: View, named: boolean): Html {
  return html`<section class="crm" id="${view.crm.toLowerCase()}">
${named && html`<h2 class="crm-name">${view.crm}</h2>`}
<div class="counts" role="group" aria-label="Counts of ${view.crm}">${view.counts.map(({ label, count }) => html`<div class="count"><b>${count}</b> ${label}</div>`)}</div>
${renderPeople(view)}
${renderLoose(view)}
</section>`;
}

function renderCounts({ requests, faults }: PageState): Html {
  const failed = Object.entries(requests.by_status)
    .filter(([status]) => Number(status) === 0 || Number(status) >= 400)
    .reduce((sum, [, count]) => sum + count, 0);
  return html`<section class="counts" aria-label="Counts">
<div class="count strong"><b>${requests.total}</b> API ${requests.total === 1 ? 'request' : 'requests'}</div>
${failed > 0 && html`<div class="count bad"><b>${failed}</b> refused or failed</div>`}
${faults > 0 && html`<div class="count bad"><b>${faults}</b> ${faults === 1 ? 'fault' : 'faults'} waiting</div>`}
</section>`;
}

function renderPeople({ crm, people, morePeople }: View): Html {
  if (people.length === 0) {
    return html`<section class="empty"><h2>No one in ${crm} yet</h2>
<p>They appear here as soon as a call is written. Send a sample with <code>npm run wrapup -- send</code>.</p></section>`;
  }
  return html`<section class="people">${people.map(renderPerson)}</section>
${morePeople > 0 && html`<p class="more">and ${morePeople} more people, less recently changed</p>`}`;
}

function renderPerson(person: PersonView): Html {
  return html`<article class="person" id="${person.anchor}">
<div class="who"><span class="avatar" aria-hidden="true">${person.initials}</span>
<div><h2>${person.name}</h2><p class="id">${person.kind} ${person.id}</p></div>
${person.status && html`<span class="badge plain">${person.status}</span>`}</div>
${renderFacts(person.facts)}
<ol class="timeline">${person.entries.map(renderEntry)}</ol>
</article>`;
}

function renderFacts(facts: Fact[]): Html | false {
  return (
    facts.length > 0 &&
    html`<dl>${facts.map(({ label, value, isKey }) => html`<div class="${isKey ? 'key' : 'fact'}"><dt>${label}</dt><dd>${value}</dd></div>`)}</dl>`
  );
}

function renderEntry(entry: TimelineEntry): Html {
  return html`<li class="entry ${entry.kind}" id="${entry.anchor}">
<div class="line"><span class="kind">${entry.kind}</span><h3>${entry.title}</h3>
${entry.badges.map(({ text, tone }) => html`<span class="badge ${tone}">${text}</span>`)}
<time datetime="${new Date(entry.at).toISOString()}">${entry.when}</time></div>
${renderFacts(entry.facts)}
${renderBody(entry)}
${entry.link !== undefined && html`<p class="link"><a href="${entry.link}" rel="noreferrer noopener">Recording</a></p>`}
</li>`;
}

/** Characters of a body that are shown at once, and that a fold must hide to be worth its line. */
const SHORT = 420;
const WORTH_FOLDING = 200;

function renderBody({ body, kind, id }: TimelineEntry): Html | false {
  if (body === '') return false;
  if (body.length <= SHORT + WORTH_FOLDING) return html`<p class="body">${body}</p>`;
  return html`<p class="body">${body.slice(0, SHORT).trimEnd()}…</p>
<details data-key="${kind}-${id}"><summary>All ${body.length} characters</summary><p class="body">${body}</p></details>`;
}

function renderLoose({ loose, moreLoose }: View): Html | false {
  return (
    loose.length > 0 &&
    html`<section class="loose"><h2>Without a person</h2>
<p>Logged on their own: no person was matched, or the mapping says to create none.</p>
<ol class="timeline">${loose.map(renderEntry)}</ol>
${moreLoose > 0 && html`<p class="more">and ${moreLoose} more</p>`}</section>`
  );
}
