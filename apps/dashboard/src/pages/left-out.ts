/** What of a mapping is not written for a call: what the call says nothing of apart from what the mapping does not want. */
import { type LeftOutBy, leftOutBy } from '@wrapup/mapping';
import { type Html, html } from '@wrapup/telemetry';

interface LeftOutField {
  field: string;
  reason: string;
  unusable?: string;
  at?: { file: string; line: number };
}

/** What should be looked at first stands first. */
const TITLES: Record<LeftOutBy, string> = {
  value: 'The call says it, and nothing can be made of it',
  mapping: 'The mapping does not want it of this call',
  call: 'The call does not say it',
};

export function renderLeftOut(fields: readonly LeftOutField[], heading: 'h3' | 'h4'): Html {
  const by = Map.groupBy(fields, leftOutBy);
  const title = heading === 'h3' ? html`<h3>Left out</h3>` : html`<h4>Left out</h4>`;
  return html`<section class="delivery-box">${title}<div class="wide"><table><thead><tr><th scope="col">Field</th><th scope="col">Why</th><th scope="col">Mapping line</th></tr></thead>${(
    Object.keys(TITLES) as LeftOutBy[]
  ).map((one) => {
    const rows = by.get(one);
    return (
      rows &&
      html`<tbody><tr><th scope="rowgroup" colspan="3">${TITLES[one]}</th></tr>${rows.map(
        ({ field, reason, at }) =>
          html`<tr><td><code>${field}</code></td><td>${reason}</td><td class="none">${at && `${at.file}:${at.line}`}</td></tr>`,
      )}</tbody>`
    );
  })}</table></div></section>`;
}
