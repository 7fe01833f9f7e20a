import { CRITERIA } from '@wrapup/call';
import { type JudgementCount, type JudgementSum, sumJudgements } from '@wrapup/queue';
import { type Html, type HtmlPart, html } from '@wrapup/telemetry';

/** Agents beside each other, those of the most judgements. */
const MOST_AGENTS = 5;

/** How Synthflow's analysis judged the calls of each agent; nothing where none was judged. */
export function renderJudgements(
  judgements: readonly JudgementCount[],
  nameOf: (source: string, id: string) => string | undefined,
): HtmlPart {
  const byAgent = Map.groupBy(judgements, ({ source, agent_id }) => `${source}|${agent_id}`);
  const sizes = [...byAgent].map(([key, counts]) => ({
    key,
    counts,
    size: counts.reduce((sum, { count }) => sum + count, 0),
  }));
  const agents = sizes.sort((a, b) => b.size - a.size).slice(0, MOST_AGENTS);
  if (agents.length === 0) return false;
  const known = CRITERIA.filter(({ name }) => judgements.some(({ criterion }) => criterion === name));
  const headOf = (key: string) => {
    const [source = '', id = ''] = key.split('|');
    return nameOf(source, id) ?? (id.slice(0, 8) || 'not named');
  };
  return html`<section><h2>What Synthflow judged</h2><div class="wide"><table><thead><tr><th scope="col">Criterion</th>${agents.map(({ key }) => html`<th scope="col">${headOf(key)}</th>`)}</tr></thead>
<tbody>${known.map(({ name, label, inverted }) => html`<tr><th scope="row">${label}</th>${agents.map(({ key, counts }) => renderShare(headOf(key), sumJudgements(counts, name, inverted)))}</tr>`)}</tbody></table></div></section>`;
}

function renderShare(agent: string, { yes, partly, all }: JudgementSum): Html {
  if (all === 0) return html`<td class="none" data-label="${agent}">–</td>`;
  return html`<td class="number" data-label="${agent}">${Math.round((100 * yes) / all)} % <span class="none">of ${all.toLocaleString('en-US')}${partly > 0 && `, partly ${partly.toLocaleString('en-US')}`}</span></td>`;
}
