/** A mapping line for every variable that a captured payload has, by what its value looks like. Never the value itself. */
import type { Call, Json } from '@wrapup/call';
import { INIT_KINDS, type InitKind } from './kinds.ts';

export interface Proposal {
  property: string;
  /** The value form, as YAML. */
  form: string;
  /** What the value looked like. */
  about: string;
}

interface Looks {
  about: string;
  transform?: string;
  fits(value: Json): boolean;
}

const text = (value: Json) => (typeof value === 'string' ? value.trim() : '');

/** The first that fits. */
const LOOKS: Looks[] = [
  {
    about: 'yes or no',
    transform: 'boolean',
    fits: (value) => typeof value === 'boolean' || /^(?:yes|no|true|false)$/i.test(text(value)),
  },
  {
    about: 'a number',
    transform: 'number',
    fits: (value) =>
      typeof value === 'number' || /^[$€£]?\s?\d{1,3}(?:[.,\s]?\d{3})*(?:[.,]\d+)?\s?[€$£]?$/.test(text(value)),
  },
  {
    about: 'an e-mail address',
    transform: '[trim, lower, email]',
    fits: (value) => /^\S+@\S+\.\S+$/.test(text(value)),
  },
  {
    about: 'a date and time',
    transform: 'datetime',
    fits: (value) => /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/.test(text(value)),
  },
  { about: 'a date', transform: 'date', fits: (value) => /^\d{4}-\d\d-\d\d$/.test(text(value)) },
  { about: 'a telephone number', transform: 'e164', fits: (value) => /^\+[\d ()-]{7,20}$/.test(text(value)) },
  { about: 'a list', transform: '{ join: ";" }', fits: (value) => Array.isArray(value) },
  { about: 'a section of its own', transform: 'json', fits: (value) => typeof value === 'object' && value !== null },
  { about: 'text', fits: () => true },
];

/** Variables that the presets write already. */
const KNOWN: ReadonlySet<string> = new Set(['email', 'wants_callback', 'user_name']);
/** Names of which a property's and a path can be made. */
const USABLE = /^[^"'\\\p{C}]*[\p{L}\p{N}][^"'\\\p{C}]*$/u;

export function propose(call: Call, kind: string): Proposal[] {
  const { property } = INIT_KINDS[kind] as InitKind;
  const taken = new Set<string>();
  return Object.entries(call.vars).flatMap(([name, value]): Proposal[] => {
    const target = property(name);
    if (KNOWN.has(name) || !USABLE.test(name) || taken.has(target)) return [];
    taken.add(target);
    const looks = LOOKS.find(({ fits }) => fits(value)) as Looks;
    const path = /^[\p{L}_][\p{L}\p{N}_-]*$/u.test(name) ? `vars.${name}` : `'vars[${JSON.stringify(name)}]'`;
    const form = looks.transform ? `{ from: ${path}, transform: ${looks.transform} }` : path;
    return [{ property: target, form, about: looks.about }];
  });
}
