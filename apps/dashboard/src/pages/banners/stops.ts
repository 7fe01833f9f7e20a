import { type ConnectionState, explainPause } from '@wrapup/queue';
import { type HtmlPart, html } from '@wrapup/telemetry';

/** What keeps calls from being taken or written now; nothing while nothing does. @param redis what is wrong with it */
export function renderStops(connections: readonly ConnectionState[], redis: readonly string[]): HtmlPart {
  const pauses = connections.map(explainPause).filter((why) => why !== undefined);
  if (pauses.length === 0 && redis.length === 0) return '';
  return html`<div class="stops" role="alert">${redis.map((problem) => html`<p><strong>No calls are taken.</strong> ${problem}</p>`)}${pauses.map(
    (why) =>
      html`<p><strong>Nothing is written.</strong> ${/[.!?]$/.test(why) ? why : `${why}.`} Its calls are kept. <a href="/connections">Connections</a></p>`,
  )}</div>`;
}
