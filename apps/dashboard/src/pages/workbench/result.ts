/** What the workbench shows below: findings, what is different, the plan, the call. */
import type { Call } from '@wrapup/call';
import type { Finding } from '@wrapup/findings';
import { type Html, type HtmlPart, html } from '@wrapup/telemetry';
import type { PreviewAnswer } from '../../queries/ask-crm.ts';
import { countDifferences, diffPlans } from '../../workbench/diff-plans.ts';
import type { BarePlan, Evaluation } from '../../workbench/evaluate.ts';
import { renderLeftOut } from '../left-out.ts';
import { count, renderChip, renderFact, renderTime } from '../parts.ts';
import { renderPreview } from '../preview.ts';
import { renderCompared } from './compared.ts';

export interface WorkbenchResult {
  /** Why nothing, or not everything, can be shown. */
  problem?: string;
  /** Path of the mapping, and its text, whose lines are shown beside findings. */
  mapping?: { path: string; text: string };
  evaluation?: Omit<Evaluation, 'plan' | 'took' | 'test'>;
  /** Routes that the call would take. */
  chosen?: readonly string[];
  route?: string;
  connection?: string;
  /** Fields that its CRM shows as rich text, as `object.property`. */
  richText?: ReadonlySet<string>;
  /** The plan as edited; with no mapping at hand, of the one in force. */
  plan?: BarePlan;
  /** The plan of the mapping in force. */
  installed?: BarePlan;
  /** What the CRM said, when it was asked. */
  answer?: PreviewAnswer;
  /** A test to save. */
  test?: { file: string; text: string; isRedacted: boolean };
}

export function renderWorkbenchResult(result: WorkbenchResult): Html {
  const { problem, evaluation, plan, answer, test } = result;
  const { findings = [], problems = [], call } = evaluation ?? {};
  const compared = plan && diffPlans(result.installed, plan);
  const isCompared = result.installed !== undefined;
  const hasErrors = !isCompared && findings.some(({ severity }) => severity === 'error');
  return html`<p class="said" role="status">${summarise([...findings, ...problems], compared && isCompared ? countDifferences(compared) : undefined)}</p>
${problem && html`<p class="notice bad" role="alert">${problem}</p>`}
${test && renderTest(test)}
${problems.length > 0 && html`<h2>Findings about the call</h2><ul class="findings">${problems.map((one) => renderFinding(one))}</ul>`}
${findings.length > 0 && html`<h2>Findings about the mapping</h2><ul class="findings">${findings.map((one) => renderFinding(one, result.mapping))}</ul>`}
${
  plan &&
  compared &&
  html`<h2>The plan <span class="to">of route ${result.route} to ${result.connection}, mapping ${plan.mapping.name}</span></h2>
${evaluation?.outcome && html`<p>If the CRM holds nothing but what the case says: <b>${evaluation.outcome.result}</b>, as ${evaluation.outcome.because}.</p>`}
${(evaluation?.withheld.length ?? 0) > 0 && html`<p class="next">Not written, as only a signature vouches for it: ${evaluation?.withheld.join(', ')}.</p>`}
${plan.parked && html`<p class="next">It waits for a person: ${plan.parked.field} is required, and absent.</p>`}
${answer && 'failure' in answer && renderFailure(answer.failure)}
${answer && 'preview' in answer && html`<h3>Against what ${result.connection} holds now</h3>${renderPreview(answer.preview, plan)}`}
<h3>${isCompared ? 'Against the mapping in force' : 'By the mapping in force'}</h3>
${hasErrors && html`<p class="next">The mapping as edited has errors, and plans nothing.</p>`}
${compared.map((record) => renderCompared(record, isCompared, result.richText))}
${plan.needs.length > 0 && html`<p>Read from the matched person first: ${plan.needs.join(', ')}.</p>`}
${plan.left_out.length > 0 && renderLeftOut(plan.left_out, 'h4')}`
}
${call && renderCallFacts(call, result.chosen ?? [])}
${call && html`<div id="paths" data-paths="${JSON.stringify(pathsOf(call))}"></div>`}`;
}

function summarise(findings: readonly Finding[], differences: number | undefined): string {
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const parts = [
    errors > 0 && count(errors, 'error'),
    findings.length > errors && count(findings.length - errors, 'warning'),
    differences !== undefined &&
      (differences === 0 ? 'no difference in the plan' : `${count(differences, 'difference')} in the plan`),
  ].filter(Boolean);
  return parts.join(', ');
}

function renderFinding({ severity, code, message, hint, at }: Finding, mapping?: WorkbenchResult['mapping']): Html {
  const line = at && mapping && at.file === mapping.path ? mapping.text.split('\n')[at.line - 1] : undefined;
  const place = at && (line === undefined ? `${at.file}:${at.line}` : `line ${at.line}`);
  return html`<li class="${severity}"${at && line !== undefined && html` data-line="${at.line}" data-column="${at.column}"`} data-code="${code}">
<b>${severity}</b> ${line === undefined ? place : html`<a href="#mapping">${place}</a>`}: <span class="message">${message}</span>${hint && html` <span class="hint">${hint}</span>`}
${line !== undefined && line.trim() !== '' && html`<pre>${line}</pre>`}</li>`;
}

function renderTest({ file, text, isRedacted }: NonNullable<WorkbenchResult['test']>): Html {
  return html`<section class="delivery-box"><h2>The test</h2>
<p>Put it into <code>${file}</code>, beside the mapping, and run <code>wrapup test</code>. It passes with the mapping as it is on this page.</p>
${isRedacted && html`<p class="notice note">Names, numbers, addresses and texts of the call are replaced. Read it all the same before you keep it: numbers and single words of what was collected stand in it.</p>`}
<label class="text">The test<textarea readonly rows="12" spellcheck="false" id="test">
${text}</textarea></label>
<p class="buttons"><button form="workbench" name="do" value="test-file">Download the test</button></p></section>`;
}

function renderFailure({ code, message, hint }: { code: string; message: string; hint: string | undefined }): Html {
  return html`<p class="notice bad" role="alert">The CRM could not be asked: ${message} <code>${code}</code>${hint && html`<br>${hint}`}</p>`;
}

function renderCallFacts(call: Call, chosen: readonly string[]): Html {
  const { lead } = call;
  const variables = Object.entries(call.vars);
  return html`<h2>The call</h2>
<dl class="facts">
${renderFact('Outcome', html`${renderChip(call.outcome)} answered by ${call.answered_by}`)}
${renderFact('Status', `${call.status}${call.terminal ? '' : ' (not final)'}`)}
${renderFact('End reason', call.end_reason)}
${renderFact('Direction', call.direction)}
${renderFact('Lead', [lead.name, lead.phone ?? lead.phone_raw, lead.email].filter(Boolean).join(', '))}
${renderFact('Started', call.started_at && renderTime(Date.parse(call.started_at)))}
${renderFact('Duration', call.duration === undefined ? undefined : `${call.duration} s`)}
${renderFact('Routes it takes', chosen.length > 0 ? chosen.join(', ') : 'none matches')}</dl>
${
  variables.length > 0 &&
  html`<h3>Variables</h3><div class="wide"><table><thead><tr><th scope="col">Path</th><th scope="col">Value</th></tr></thead><tbody>${variables.map(
    ([name, value]) => html`<tr><td><code>vars.${name}</code></td><td class="value">${shown(value)}</td></tr>`,
  )}</tbody></table></div>`
}
${call.notes.length > 0 && html`<h3>Notes</h3><ul>${call.notes.map(({ path, message }) => html`<li><code>${path}</code> ${message}</li>`)}</ul>`}`;
}

function shown(value: unknown): HtmlPart {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Sections of a call whose names are the customer's own. */
const FREE = ['vars', 'extracted', 'prompt_variables', 'metadata'] as const;
const MOST_PATHS = 300;

/** What of this call a mapping can read by a name of its own, for completion. */
function pathsOf(call: Call): string[] {
  return FREE.flatMap((root) =>
    Object.keys(call[root])
      .filter((name) => /^[A-Za-z_][\w-]*$/.test(name))
      .map((name) => `${root}.${name}`),
  ).slice(0, MOST_PATHS);
}
