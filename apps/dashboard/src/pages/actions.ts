/** Buttons. Each is a form of its own, so that they work without a script. */

import { NEW_PERSON } from '@wrapup/destination';
import type { DeliveryState } from '@wrapup/queue';
import { type Html, html } from '@wrapup/telemetry';

export interface ActionTarget {
  source: string;
  call_id: string;
  /** Absent for a call that stopped before its routes. */
  route?: string;
  /** Page to come back to. */
  back: string;
}

/** States that may be replayed. A written one is written again under its keys, where the mapping or the account has changed. */
export const REPLAYABLE: readonly DeliveryState[] = ['parked', 'dead', 'dropped', 'skipped', 'written'];
export const DROPPABLE: readonly DeliveryState[] = ['parked', 'dead', 'queued'];

/** Characters of a reason for dropping. */
export const MAX_REASON_LENGTH = 300;

/** @param isMain it is what the state asks for; where a person is to be chosen first, it is not */
export function renderReplay(target: ActionTarget, { isMain = true } = {}): Html {
  const label = target.route === undefined ? 'Replay the call' : 'Replay';
  return html`<form method="post" action="${actionOf(target, 'replay')}">${hidden(target)}<button${isMain && html` class="primary"`}>${label}</button></form>`;
}

/** Reads something of a call for the one who asks. */
export function renderLook(target: Omit<ActionTarget, 'back'>, action: 'transcript' | 'preview', label: string): Html {
  return html`<form class="look" method="post" action="${actionOf(target, action)}">${hidden({ ...target, back: '' })}<button>${label}</button></form>`;
}

/** Takes the call to the workbench, with the mapping of its route. */
export function renderOpen({ call_id, ...target }: Omit<ActionTarget, 'back'>): Html {
  return html`<form class="look" method="post" action="/playground/call">${hidden({ ...target, call_id, back: '' })}<input type="hidden" name="call_id" value="${call_id}"><button>Open in the workbench</button></form>`;
}

/** Says that one candidate of an ambiguous delivery is the person. @param lasting the choice can hold for later calls, too */
export function renderChoose(target: ActionTarget, person: string, lasting: boolean): Html {
  return html`<form class="choose" method="post" action="${actionOf(target, 'choose')}">${hidden(target)}<input type="hidden" name="person" value="${person}">
${person === NEW_PERSON ? html`<button class="primary">Create a new person</button>` : html`<button aria-label="This is the person: ${person}">This is the person</button>`}${
  lasting &&
  html` <label><input type="checkbox" name="remember" value="yes"> also for later calls of this number or address</label>`
}</form>`;
}

export function renderDrop(target: ActionTarget): Html {
  return html`<details class="drop"><summary>Drop…</summary>
<form method="post" action="${actionOf(target, 'drop')}">${hidden(target)}
<label>Reason, kept in the ledger. No names, numbers or addresses.
<input name="reason" required maxlength="${MAX_REASON_LENGTH}" autocomplete="off"></label>
<button class="danger">Drop this ${target.route === undefined ? 'call' : 'delivery'}</button></form></details>`;
}

function actionOf({ call_id }: { call_id: string }, action: string): string {
  return `/calls/${encodeURIComponent(call_id)}/${action}`;
}

function hidden({ source, route, back }: ActionTarget): Html {
  return html`<input type="hidden" name="source" value="${source}">${
    route !== undefined && html`<input type="hidden" name="route" value="${route}">`
  }<input type="hidden" name="back" value="${back}">`;
}
