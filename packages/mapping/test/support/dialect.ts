import type { Dialect } from '@wrapup/mapping';

/** A CRM that does not exist, with one of everything a dialect can have. */
export function acmeDialect(presets: Record<string, string> = {}): Dialect {
  return {
    kind: 'acme',
    person: { create_as: ['lead', 'contact'], object: 'people', owner: 'owner_id' },
    related: {
      company: { object: 'companies', elsewhere: ['account'] },
      open_deals: { object: 'deals', through: 'companies', open: true, elsewhere: ['open_opportunities'] },
    },
    records: {
      call_log: {
        type: 'call_log',
        object: 'calls',
        words: {
          title: { property: 'subject', text: 'text' },
          body: { property: 'notes', text: 'html', limit: 600, as: 'body' },
        },
      },
      tasks: {
        type: 'task',
        object: 'todos',
        words: {
          subject: { property: 'subject', text: 'text', limit: 100 },
          body: { property: 'description', text: 'text', limit: 400, as: 'body' },
          due_in: { property: 'due_at', text: 'text', as: 'due' },
          priority: { property: 'priority', text: 'text' },
        },
        owner: 'assignee',
      },
      deals: {
        type: 'deal',
        object: 'deals',
        words: { title: { property: 'name', text: 'text' } },
        findable: true,
      },
      objects: {
        type: 'object',
        object: 'objects',
        words: {},
        keyed: true,
        findable: true,
        was: 'custom_objects',
        any_object: {
          such_as: 'x_visits',
          read: (name) =>
            /^x_[a-z]+$/.test(name) ? name : { problem: `the CRM has no object "${name}"`, hint: 'such as x_visits' },
          linkedTo: (object) => (object === 'x_leads' ? ['people', 'companies'] : []),
        },
      },
    },
    presets: Object.fromEntries(Object.entries(presets).map(([name, text]) => [name, () => text])),
  };
}
