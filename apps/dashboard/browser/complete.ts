/** Completion and hover from the JSON schema of the mapping and the names that the call has. */
import type { Completion, CompletionContext, CompletionResult } from '@codemirror/autocomplete';
import type { Tooltip } from '@codemirror/view';
import { hoverTooltip } from '@codemirror/view';
import { pathAt, placeAt } from './place.ts';
import { describeAt, keysAt, type SchemaPart, type Suggestion, valuesAt } from './schema.ts';

export interface Known {
  /** Undefined until it is loaded. */
  schema: SchemaPart | undefined;
  /** Paths of this very call: `vars.budget`. */
  paths: readonly string[];
}

/** A path that every schema of mappings has among the values of a field. */
const A_PATH = 'lead.phone';

export function completeMapping(known: () => Known) {
  return (context: CompletionContext): CompletionResult | null => {
    const { schema, paths } = known();
    if (!schema) return null;
    const text = context.state.doc.toString();
    const open = /\{\{\s*([\w.]*)$/.exec(text.slice(Math.max(0, context.pos - 200), context.pos));
    if (open) {
      const all = valuesAt(schema.$defs?.path ? { ...schema, ...schema.$defs.path } : schema, []);
      const options = optionsOf(withPaths(all, paths), (one) => one.text, 'enum');
      return { from: context.pos - (open[1]?.length ?? 0), options, validFor: VALID };
    }
    const place = placeAt(text, context.pos);
    if (!place || place.kind === 'text') return null;
    // A reader who only moves about is shown nothing.
    if (!context.explicit && place.from === context.pos) return null;
    const keys =
      place.kind === 'value' ? [] : keysAt(schema, place.path).filter(({ text: key }) => !place.siblings.has(key));
    const values = place.kind === 'key' ? [] : valuesAt(schema, place.path);
    if (keys.length + values.length === 0) return null;
    const write = ({ text: key }: Suggestion) => (place.hasColon ? key : `${key}: `);
    const options = [
      ...optionsOf(keys, write, 'property'),
      ...optionsOf(withPaths(values, paths), ({ text: value }) => value, 'enum'),
    ];
    return { from: place.from, to: place.to, options, validFor: VALID };
  };
}

const VALID = /^[\w./-]*$/;

/** Names of the call come first, in place of the examples of the schema. */
function withPaths(values: readonly Suggestion[], paths: readonly string[]): Suggestion[] {
  if (!values.some(({ text }) => text === A_PATH)) return [...values];
  const own = paths.map((text) => ({ text, description: 'This call has it' }));
  return [...own, ...values.filter(({ text }) => !paths.includes(text))];
}

function optionsOf(suggestions: readonly Suggestion[], apply: (one: Suggestion) => string, type: string): Completion[] {
  return suggestions.map((one, index) => ({
    label: one.text,
    apply: apply(one),
    type,
    // In the order of the schema, which puts what matters first.
    boost: -Math.min(index, 99),
    ...(one.description ? { info: one.description } : {}),
  }));
}

export function explainOnHover(known: () => Known) {
  return hoverTooltip((view, at): Tooltip | null => {
    const { schema } = known();
    const found = schema && pathAt(view.state.doc.toString(), at);
    const said = schema && found && describeAt(schema, found.path);
    if (!found || !said) return null;
    return {
      ...{ pos: found.from, end: found.to, above: true },
      create() {
        const dom = document.createElement('div');
        const name = dom.appendChild(document.createElement('b'));
        name.textContent = found.path.join('.');
        dom.appendChild(document.createElement('p')).textContent = said;
        return { dom };
      },
    };
  });
}
