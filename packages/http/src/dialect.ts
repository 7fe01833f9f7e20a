import { shipPresets } from '@wrapup/destination';
import type { Dialect } from '@wrapup/mapping';
import { checkPlaces } from './body/body-path.ts';
import { EVERYTHING, LEAVE_OUT, parsePaths, SEND } from './body/call-document.ts';

/**
 * What the mapping language has to know about HTTP endpoints: a call becomes events, each of them one request. `fields`
 * are the body, by their place in it: `lead.phone`, `items[0].name`.
 *
 *   type       the body's `type`: what kind of event it is
 *   text       the body's `text`, which may be a template: what chat tools show
 *   send       `all`, or paths of the call (`call, lead, vars.budget`): the body gets `timestamp`, and `data` with them.
 *              Without it the body is made of the fields alone
 *   leave_out  paths that are taken out of `data` again
 */
export const httpDialect: Dialect = {
  kind: 'http',
  person: { create_as: [], object: 'event' },
  records: {
    events: {
      type: 'event',
      object: 'event',
      write: 'overwrite',
      words: {
        type: { property: 'type', text: 'text' },
        text: { property: 'text', text: 'text', as: 'body' },
        send: {
          property: SEND,
          text: 'text',
          literal: (text) => (text.trim() === EVERYTHING ? undefined : describeProblem(text, 'all, or ')),
        },
        leave_out: { property: LEAVE_OUT, text: 'text', literal: (text) => describeProblem(text) },
      },
      check: (properties) => {
        const places = properties.filter((property) => property !== SEND && property !== LEAVE_OUT);
        // Fields stand beside the call, never in it: whether there is room would depend on the call.
        const problems = checkPlaces(properties.includes(SEND) ? ['timestamp', 'data', ...places] : places);
        const hint = 'fields are places in the JSON body: text, lead.phone, items[0].name';
        return problems.map(({ place, problem }) => ({ property: place, problem, hint }));
      },
    },
  },
  presets: shipPresets(import.meta.url, ['event', 'digest']),
};

function describeProblem(text: string, or = ''): string | undefined {
  const paths = parsePaths(text);
  return typeof paths === 'string'
    ? `must be ${or}paths of the call such as "call, lead.phone, vars": ${paths}`
    : undefined;
}
