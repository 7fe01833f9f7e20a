import { type ConnectionState, explainPause } from '@wrapup/queue';
import { type HtmlPart, html } from '@wrapup/telemetry';

/** What keeps calls from being taken or written now; nothing while nothing does. @param redis what is wrong with it */
export function renderStops(connections: readonly ConnectionState[], redis: readonly string[]): HtmlPart {
  const pauses = connections.flatMap((state) => {
    const why = explainPause(state);
    return why === undefined ? [] : [{ connection: state.connection, why }];
  });
  if (pauses.length === 0 && redis.length === 0) return '';
  return html`<div class="stops" role="alert">${redis.map((problem) => html`<p><strong>No calls are taken.</strong> ${problem}</p>`)}${pauses.map(
    ({ connection, why }) =>
      html`<p><strong>Nothing is written to ${connection}.</strong> ${why} Its calls are kept. <a href="/connections">Connections</a></p>`,
  )}</div>`;
}
