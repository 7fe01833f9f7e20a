import type { Examination } from '@wrapup/config';
import type { ProvisionStep } from '@wrapup/destination';
import type { Finding } from '@wrapup/findings';
import { type Html, type HtmlPart, html } from '@wrapup/telemetry';
import type { Refused } from '../../queries/ask-crm.ts';
import { type ConnectionSetup, SETUP_DAYS, type Setup, type SourceSetup, webhookPath } from '../../queries/setup.ts';
import { count, renderChip, renderFact, renderTime } from '../parts.ts';

type StepState = 'done' | 'todo' | 'look';

const STEP_LABELS: Record<StepState, [chip: string, text: string]> = {
  done: ['written', 'done'],
  todo: ['queued', 'to do'],
  look: ['parked', 'needs a look'],
};

/** From nothing to the first call that is written, step by step: each says whether it is done, and what to do next. */
export function renderSetup(setup: Setup): Html {
  const { sources, connections, routes, calls, written } = setup;
  const isConfigured = sources.length > 0 && connections.length > 0 && routes > 0;
  return html`<h1>Set-up</h1>
<p>From nothing to the first call that is written. Counted are the last ${SETUP_DAYS} days.</p>
<ol class="steps">
${step('Configuration', isConfigured ? 'done' : 'todo', renderConfiguration(setup))}
${step('Webhooks', stateOfSources(sources), renderSources(sources))}
${step('Connections', stateOfConnections(connections), renderConnections(connections))}
${step('A test call', calls > 0 ? 'done' : 'todo', renderTestCall(setup))}
${step('The first call that is written', written > 0 ? 'done' : calls > 0 ? 'look' : 'todo', renderWritten(setup))}
</ol>`;
}

function step(title: string, state: StepState, body: HtmlPart): Html {
  const [chip, text] = STEP_LABELS[state];
  return html`<li class="step"><h2>${title} ${renderChip(chip, text)}</h2>${body}</li>`;
}

function renderConfiguration({ sources, connections, routes }: Setup): HtmlPart {
  const has = `${count(sources.length, 'source')}, ${count(connections.length, 'connection')}, ${count(routes, 'route')}.`;
  if (sources.length > 0 && connections.length > 0 && routes > 0) return html`<p>${has}</p>`;
  return html`<p>${has} <code>wrapup init</code> writes a wrapup.yaml and a mapping from a few questions, and <code>wrapup check</code> says what is still wrong.</p>`;
}

function stateOfSources(sources: readonly SourceSetup[]): StepState {
  return sources.length > 0 && sources.every(({ last_webhook }) => last_webhook !== undefined) ? 'done' : 'todo';
}

const VERIFIED: Record<SourceSetup['source']['trust'], string> = {
  signature:
    'Synthflow signs each webhook; the secret that it shows under Settings > Security > Webhooks belongs into webhook_secrets of the source.',
  api: 'Each call is read again from Synthflow with the api_key of the source, so that its webhook only says that there is one.',
  none: 'Whatever is posted is believed. trust: signature has Synthflow’s signature checked.',
};

function renderSources(sources: readonly SourceSetup[]): HtmlPart {
  if (sources.length === 0)
    return html`<p class="empty">There is no source yet: <code>sources:</code> in wrapup.yaml.</p>`;
  const isMissing = sources.some(({ last_webhook }) => last_webhook === undefined);
  return html`${sources.map(renderSource)}
${isMissing && html`<p>At Synthflow this address is the agent’s webhook, <code>external_webhook_url</code>. The host is the one by which Synthflow reaches ingress. Where webhooks were sent and none came, <code>wrapup doctor --source &lt;name&gt;</code> says where the agents point and how Synthflow’s webhooks were answered; what ingress refuses is in its log and in <code>wrapup_ingress_requests_total</code>.</p>`}`;
}

function renderSource({ source, last_webhook, calls }: SourceSetup): Html {
  const id = `address-${source.name.replaceAll('.', '-')}`;
  const hasToken = source.path_token.length > 0;
  return html`<section class="delivery-box">
<h3>${renderChip(last_webhook === undefined ? 'queued' : 'written', last_webhook === undefined ? 'nothing came' : 'webhooks come')} ${source.name}</h3>
<p class="address"><label for="${id}">Webhook address</label><input id="${id}" readonly value="${`https://<your host>${webhookPath(source, 'post-call')}`}"></p>
<dl class="facts">
${renderFact('Path token', hasToken ? 'Write the source’s path_token in place of <path token>: it is a secret, and not shown.' : 'None that the dashboard knows. Where the source has a path_token, it stands before /post-call.')}
${renderFact('Verified', VERIFIED[source.trust])}
${renderFact('Before inbound calls', source.inbound && html`<code>${`https://<your host>${webhookPath(source, 'inbound-call')}`}</code>`)}
${renderFact('Last webhook', last_webhook === undefined ? 'none yet' : renderTime(last_webhook))}
${renderFact('Calls', html`<a href="/calls?source=${source.name}">${count(calls, 'call')}</a>`)}
</dl></section>`;
}

function stateOf({ check, paused }: ConnectionSetup): StepState {
  if (paused || check?.failed || check?.findings.some(({ severity }) => severity === 'error')) return 'look';
  return check ? 'done' : 'todo';
}

function stateOfConnections(connections: readonly ConnectionSetup[]): StepState {
  const states = connections.map(stateOf);
  if (states.includes('look')) return 'look';
  return states.length === 0 || states.includes('todo') ? 'todo' : 'done';
}

function renderConnections(connections: readonly ConnectionSetup[]): HtmlPart {
  if (connections.length === 0)
    return html`<p class="empty">There is no connection yet: <code>connections:</code> in wrapup.yaml.</p>`;
  return connections.map(renderConnection);
}

function renderConnection(one: ConnectionSetup): Html {
  const { connection, kind, isTrial, mappings, fields, check, paused, written } = one;
  const [chip, text] = STEP_LABELS[stateOf(one)];
  const action = (what: string) => `/setup/connections/${encodeURIComponent(connection)}/${what}`;
  return html`<section class="delivery-box">
<h3>${renderChip(chip, paused ? 'paused' : text)} ${connection} <span class="to">${kind}${isTrial && ', sandbox or this machine'}</span></h3>
<dl class="facts">
${renderFact('Mappings', mappings === 0 ? 'No route leads to it.' : count(mappings, 'mapping'))}
${renderFact('Account', check === undefined ? 'Not compared with the mappings yet: the worker does at its start and every hour.' : renderVerdict(check.findings, check.failed, check.at))}
${renderFact('Fields of its own', fields.length > 0 && `${count(fields.length, 'field')} that Wrapup makes where they are missing, such as ${fields[0]}`)}
${renderFact('Written', html`<a href="/calls?connection=${connection}&state=written">${count(written, 'delivery', 'deliveries')}</a>`)}
</dl>
${check && check.findings.length > 0 && renderFindings(check.findings)}
<div class="buttons">
<form method="post" action="${action('check')}"><button>Ask the account now</button></form>
${fields.length > 0 && html`<form method="post" action="${action('fields')}"><button>Which fields are missing?</button></form>`}
${paused && html`<a href="/connections">Why it is paused</a>`}
</div></section>`;
}

function renderVerdict(
  findings: readonly Finding[],
  failed: { message: string; hint?: string } | undefined,
  at: number,
): Html {
  const when = renderTime(at);
  if (failed) {
    const why = /[.!?]$/.test(failed.message) ? failed.message : `${failed.message}.`;
    return html`could not be asked, ${when}: ${why} ${failed.hint}`;
  }
  if (findings.length === 0) return html`fits the mappings, ${when}`;
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  return html`${count(errors, 'error')}, ${count(findings.length - errors, 'warning')}, ${when}`;
}

function renderFindings(findings: readonly Finding[]): Html {
  return html`<ul class="findings">${findings.map(
    ({ severity, code, message, hint, at }) =>
      html`<li>${renderChip(severity === 'error' ? 'dead' : 'parked', severity)} ${message} <code>${code}</code>${at && html` <code>${at.file}:${at.line}</code>`}${hint && html`<br><span class="ago">${hint}</span>`}</li>`,
  )}</ul>`;
}

function renderTestCall({ sources, connections, calls }: Setup): HtmlPart {
  if (calls > 0) return html`<p>${count(calls, 'call')} came. <a href="/calls">Calls</a> say what became of each.</p>`;
  const [first] = sources;
  const source = sources.length > 1 && first ? ` --source ${first.source.name}` : '';
  const live = connections.filter(({ isTrial }) => !isTrial).map(({ connection }) => connection);
  return html`<p>A sample call, signed as Synthflow does, comes in by the door that webhooks take:</p>
<p><code>wrapup send samples/connected.json --new-id${source}</code></p>
<p>${live.length === 0 ? 'It is written to the sandbox or this machine, and to no account of yours.' : html`It is written to ${live.join(', ')}, as a call of a person of its own (Dana Example). <code>wrapup plan samples/connected.json</code> says before what would be written.`} The <a href="/playground">workbench</a> shows what a mapping makes of a call, and writes nothing to a CRM.</p>`;
}

function renderWritten({ calls, written, parked, dead }: Setup): HtmlPart {
  if (written > 0)
    return html`<p><a href="/calls?state=written">${count(written, 'delivery was', 'deliveries were')} written.</a> Next: <a href="/">the overview</a>, and <code>alerts:</code> and <code>digests:</code> in wrapup.yaml, which say by themselves what needs a person and what a week came to.</p>`;
  if (parked + dead > 0)
    return html`<p>${parked > 0 && html`<a href="/parked">${count(parked, 'delivery waits', 'deliveries wait')} for a person</a>. `}${dead > 0 && html`<a href="/dead">${count(dead, 'delivery was', 'deliveries were')} given up</a>. `}Each says why, and what to do.</p>`;
  return calls > 0
    ? html`<p>None yet: <a href="/calls">the calls that came</a> say how far they are. Where they stay queued, no worker runs, or the connection is paused.</p>`
    : html`<p>It follows the first call that comes.</p>`;
}

/** What the account of a connection answered. */
export function renderExamination(connection: string, answer: Examination | Refused): Html {
  const back = html`<p><a href="/setup">Set-up</a></p>`;
  if ('failure' in answer) return html`<h1>${connection}</h1>${renderRefused(answer)}${back}`;
  const { account, notes, findings } = answer;
  return html`<h1>${connection}</h1>
<dl class="facts">${renderFact('Account', account)}${notes.map((note) => renderFact('Note', note))}</dl>
${findings.length === 0 ? html`<p class="notice good">The account fits the mappings.</p>` : renderFindings(findings)}${back}`;
}

function renderRefused({ failure }: Refused): Html {
  return html`<p class="notice bad">${failure.message} ${failure.hint}</p>`;
}

const FIELD_STATES: Record<ProvisionStep['state'], string> = {
  present: 'written',
  created: 'written',
  missing: 'parked',
  refused: 'dead',
};

export interface FieldsPage {
  connection: string;
  answer: { steps: ProvisionStep[]; deploys: boolean } | Refused;
  /** They were made just now, where they could be. */
  made: boolean;
}

/** The fields that mappings need, and which of them the account has. */
export function renderFields({ connection, answer, made }: FieldsPage): Html {
  const back = html`<p><a href="/setup">Set-up</a></p>`;
  const head = html`<h1>Fields in ${connection}</h1>`;
  if ('failure' in answer) return html`${head}${renderRefused(answer)}${back}`;
  const { steps, deploys } = answer;
  const missing = steps.filter(({ state }) => state === 'missing').length;
  const command = html`<code>wrapup provision ${connection}${deploys && ' --deploy'}</code>`;
  return html`${head}
${
  steps.length === 0
    ? html`<p class="empty">The mappings need no fields of their own.</p>`
    : html`<div class="wide"><table><thead><tr><th scope="col">Field</th><th scope="col">State</th><th scope="col">What to do</th></tr></thead>
<tbody>${steps.map(({ what, state, hint }) => html`<tr><td><code>${what}</code></td><td>${renderChip(FIELD_STATES[state], state)}</td><td>${hint}</td></tr>`)}</tbody></table></div>`
}
${missing === 0 && !made && html`<p class="notice good">The account has all of them.</p>`}
${missing > 0 && html`<p>${command} makes what is missing${deploys && ', as a package with a permission set'}.</p>`}
${missing > 0 && !deploys && html`<form method="post" action="/setup/connections/${encodeURIComponent(connection)}/provision"><label class="check"><input type="checkbox" name="confirmed" value="yes" required> Make ${count(missing, 'field')} in the account of ${connection}. Nothing that is there is changed.</label> <button class="primary">Make them</button></form>`}${back}`;
}
