import type { Call } from '@wrapup/call';
import { type Html, html } from '@wrapup/telemetry';
import type { SampleGroup } from '../../workbench/samples.ts';
import { linkToCall } from '../parts.ts';
import { renderWorkbenchResult, type WorkbenchResult } from './result.ts';

export interface WorkbenchPage {
  /** Names of the routes to choose from. */
  routes: readonly string[];
  route: string | undefined;
  /** Sources of the route's calls. */
  sources: readonly string[];
  source: string | undefined;
  samples: readonly SampleGroup[];
  /** Id of the sample that was chosen. */
  sample?: string | undefined;
  /** Of the left side. */
  given: { text: string } | { stored: { source: string; call_id: string; call?: Call | undefined } };
  mapping?: EditedMapping | undefined;
  /** Call or mapping are otherwise than where they came from. */
  isEdited?: boolean;
  /** Name of the test to save. */
  testName: string;
  /** What the operator may do, and the installation allows. */
  may: { lookUp: boolean; write: boolean };
  /** To begin with, in the form that opens a call of the ledger. */
  asked?: { call_id?: string | undefined; source?: string | undefined } | undefined;
  result?: WorkbenchResult | undefined;
}

export interface EditedMapping {
  /** Path in the config folder. */
  path: string;
  text: string;
  /** Of the text that was loaded. */
  digest: string;
}

export function renderWorkbench(page: WorkbenchPage): Html {
  const { given, mapping, route } = page;
  const action = 'stored' in given ? '/playground/call' : '/playground';
  return html`<h1>Workbench</h1>
<p>A call on the left, a mapping on the right, and below what the mapping makes of the call, beside what the one in force makes of it. Nothing is written to a CRM and nothing is stored.</p>
${renderChoice(page)}
${page.may.lookUp && renderStored(page)}
<form class="workbench" id="workbench" method="post" action="${action}"${page.isEdited && html` data-edited`}>
<input type="hidden" name="route" value="${route ?? ''}">
${mapping && html`<input type="hidden" name="digest" value="${mapping.digest}">`}
<div class="panes">
${'stored' in given ? renderStoredCall(given.stored) : renderText(given.text, page)}
${mapping ? renderMapping(mapping, page) : html`<section class="pane"><h2>The mapping</h2><p class="empty">${route === undefined ? 'There is no route whose mapping could be edited.' : 'The file of this mapping cannot be read, so that only what is in force is shown.'}</p></section>`}
</div>
<p class="buttons"><button class="primary" name="do" value="plan">Show the plan</button>${
    page.may.lookUp && html`<button name="do" value="ask">Ask the CRM</button>`
  }${mapping && html`<button name="do" value="mapping-file">Download the mapping</button>`}</p>
${mapping && renderSaving(page, mapping)}
</form>
<div id="result">${page.result && renderWorkbenchResult(page.result)}</div>`;
}

function renderChoice({ routes, route, samples, sample }: WorkbenchPage): Html {
  return html`<form class="filter" id="choice" method="get" action="/playground">
<label>Route<select name="route">${routes.map((name) => option(name, name, route))}</select></label>
<label>Call<select name="sample">${samples.map(
    ({ label, samples: all }) =>
      html`<optgroup label="${label}">${all.map(({ id, label: name }) => option(id, name, sample))}</optgroup>`,
  )}</select></label>
<button>Open</button></form>`;
}

function renderStored({ sources, asked, route }: WorkbenchPage): Html {
  return html`<details${asked && html` open`}><summary>A call of the ledger…</summary>
<form class="filter" method="post" action="/playground/call">
${route !== undefined && html`<input type="hidden" name="route" value="${route}">`}
<label>Source<select name="source">${sources.map((name) => option(name, name, asked?.source))}</select></label>
<label>Call id<input name="call_id" required value="${asked?.call_id ?? ''}" spellcheck="false" autocomplete="off"></label>
<button>Open the call</button></form>
<p class="none">Its payload is read, which the audit has. What was said stays on this page.</p></details>`;
}

function option(value: string, label: string, chosen: string | undefined): Html {
  return value === chosen
    ? html`<option value="${value}" selected>${label}</option>`
    : html`<option value="${value}">${label}</option>`;
}

function renderText(text: string, { sources, source }: WorkbenchPage): Html {
  return html`<section class="pane"><h2>The call</h2>
<p class="hint" id="call-help">A payload as Synthflow sent it, or a case as in tests of mappings.</p>
${sources.length > 1 ? html`<label>Source<select name="source">${sources.map((name) => option(name, name, source))}</select></label>` : html`<input type="hidden" name="source" value="${source ?? ''}">`}
<label>Payload or case<textarea name="payload" rows="18" spellcheck="false" aria-describedby="call-help">
${text}</textarea></label></section>`;
}

function renderStoredCall({ source, call_id }: { source: string; call_id: string }): Html {
  return html`<section class="pane"><h2>The call</h2>
<input type="hidden" name="source" value="${source}"><input type="hidden" name="call_id" value="${call_id}">
<p><a href="${linkToCall(source, call_id)}">Call <span class="id">${call_id}</span></a> of the ledger, as a replay would deliver it. Its payload was read for this page; the audit has the look.</p>
<p class="notice note">It is a real call: what stands below is personal data. A test that is saved of it has names, numbers and texts replaced.</p></section>`;
}

function renderMapping({ path, text }: EditedMapping, { route }: WorkbenchPage): Html {
  return html`<section class="pane"><h2>The mapping <span class="to">${path}</span></h2>
<p class="hint" id="mapping-help">Tab indents; press Escape and then Tab to leave the editor. Ctrl-Space completes, F8 goes to the next finding.</p>
<label class="editor">Mapping<textarea name="mapping" id="mapping" rows="18" spellcheck="false" aria-describedby="mapping-help" data-schema="/playground/schema?route=${encodeURIComponent(route ?? '')}">
${text}</textarea></label></section>`;
}

function renderSaving({ testName, may }: WorkbenchPage, { path }: EditedMapping): Html {
  return html`<p class="buttons"><label>Name of the test<input name="test_name" value="${testName}" autocomplete="off"></label>
<button name="do" value="test">Save as test</button>${
    may.write && html`<button class="danger" formaction="/playground/write">Write to ${path}</button>`
  }</p>`;
}
