import type { Call } from '@wrapup/call';
import type { Caller, Inbound } from '@wrapup/config';
import type { PersonRecord } from '@wrapup/destination';
import { readOwn } from '@wrapup/mapping';

type VariableValue = string | number | boolean;

/** Characters of one text: it goes into the prompt of the agent. */
const MAX_LENGTH = 500;

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out
const CONTROL = /[\u0000-\u001f\u007f]+/g;

/** The record of a caller as paths read it. */
export function callerOf({ properties, id, related, open }: PersonRecord): Caller {
  return { ...related, ...open, id, ...properties };
}

/** The variables that have a value, by name. */
export function customVariables(
  variables: Inbound['variables'],
  call: Call,
  caller: Caller | undefined,
): Record<string, VariableValue> {
  const values: Record<string, VariableValue> = {};
  for (const [name, variable] of Object.entries(variables)) {
    const value = clean('value' in variable ? variable.value : read(variable.path, call, caller));
    if (value !== undefined) values[name] = value;
  }
  return values;
}

function read([root, ...rest]: (string | number)[], call: Call, caller: Caller | undefined): unknown {
  switch (root) {
    case 'person':
      return readOwn(caller, rest);
    case 'call':
      return readOwn(call, rest);
    case 'source':
      return call.source;
    default:
      return readOwn(call, [root ?? '', ...rest]);
  }
}

function clean(value: unknown): VariableValue | undefined {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'string') return undefined;
  const text = value.toWellFormed().replace(CONTROL, ' ').trim();
  return text === '' ? undefined : text.slice(0, MAX_LENGTH).toWellFormed();
}
