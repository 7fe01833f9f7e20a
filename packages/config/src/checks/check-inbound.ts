import { own } from '@wrapup/call';
import type { DestinationKind } from '@wrapup/destination';
import { suggest } from '@wrapup/findings';
import { toOfficeHours, type Value } from '@wrapup/mapping';
import type { YamlDocument } from '../file/document.ts';
import type { WrapupFile } from '../file/schema.ts';
import type { Caller, Inbound, InboundCondition, InboundRule, InboundVariable } from '../model/config.ts';
import { guardsDoor, type Reader } from '../model/reader.ts';
import { compileCondition } from './compile-mapping-file.ts';
import {
  type AlongNames,
  conditionProblem,
  MAX_RELATED,
  parseInboundPath,
  pathProblem,
  pathsIn,
} from './inbound-path.ts';

/** Set with every answer, so that the call's record finds the same person again. */
const RESERVED: ReadonlySet<string> = new Set(['crm_person_id', 'crm_connection']);

type Add = (severity: 'error' | 'warn', code: string, path: PropertyKey[], message: string, hint: string) => void;
type Written = NonNullable<WrapupFile['inbound']>;

/** Rules of `inbound:` that go beyond its shape: at the top where there is one source, inside each where there are more. */
export function checkInbound(
  file: WrapupFile,
  document: YamlDocument,
  kinds: Record<string, DestinationKind>,
  reader?: Reader,
): Record<string, Inbound> {
  const bySource: Record<string, Inbound> = {};
  const names = Object.keys(file.sources);
  const [only] = names;
  if (file.inbound && names.length > 1) {
    const message = `inbound does not say whose callers it answers, and there are ${names.length} sources`;
    const hint = `move it into the source that it is for: sources.${only}.inbound`;
    document.report.error('no-from', message, document.origin(['inbound']).key, hint);
  }
  if (file.inbound && only !== undefined && file.sources[only]?.inbound) {
    const message = `sources.${only}.inbound says what inbound says already`;
    const at = document.origin(['sources', only, 'inbound']).key;
    document.report.error('duplicate-name', message, at, 'keep one of the two');
  }
  const parts = { file, document, kinds, ...(reader && { reader }) };
  for (const [name, source] of Object.entries(file.sources)) {
    if (source.inbound) bySource[name] = checkSection(source.inbound, ['sources', name, 'inbound'], [source], parts);
  }
  if (file.inbound) {
    const checked = checkSection(file.inbound, ['inbound'], Object.values(file.sources), parts);
    if (only !== undefined) bySource[only] ??= checked;
  }
  return bySource;
}

interface SectionParts {
  file: WrapupFile;
  document: YamlDocument;
  kinds: Record<string, DestinationKind>;
  reader?: Reader;
}

function checkSection(
  inbound: Written,
  base: readonly string[],
  sources: WrapupFile['sources'][string][],
  { file, document, kinds, reader }: SectionParts,
): Inbound {
  const section = base.join('.');
  const add: Add = (severity, code, path, message, hint) =>
    document.report[severity](
      code,
      message.replace(/^inbound\b/, section),
      document.origin([...base, ...path]).value,
      hint,
    );
  const declared = Object.keys(file.declared);
  if (!declared.includes(inbound.look_up)) {
    const hint = suggest(inbound.look_up, declared);
    add('error', 'unknown-connection', ['look_up'], `inbound: there is no connection "${inbound.look_up}"`, hint);
  }
  if (guardsDoor(reader)) checkGuard(inbound, sources, add);

  const kind = file.declared[inbound.look_up];
  const { related = [], open = [] } = (kind === undefined ? undefined : own(kinds, kind)) ?? {};
  const names: AlongNames = { related, open };
  const read: string[] = [];
  const condition = (written: unknown, label: string, path: PropertyKey[]) =>
    checkCondition(written, label, path, read, { document, base, names }, add);
  const variables = checkVariables(inbound.variables, ['variables'], names, read, add);
  const metadata = checkVariables(inbound.metadata, ['metadata'], names, read, add);
  const personal = checkPersonal(inbound, names, read, condition, add);
  const agents = checkRules(inbound, condition, add);
  const { personal: _, office_hours, ...rest } = inbound;
  return {
    ...rest,
    ...{ variables, metadata, agents },
    ...(personal ? { personal } : {}),
    ...(office_hours ? { office_hours: toOfficeHours(office_hours) } : {}),
    reads: readsOf(read, names),
  };
}

function checkGuard(inbound: Written, sources: WrapupFile['sources'][string][], add: Add): void {
  if (inbound.guard === 'none') {
    add(
      'warn',
      'open-directory',
      ['guard'],
      'inbound: guard: none gives CRM data about any number to anyone who asks',
      'set a path_token on the source and remove guard: none',
    );
  } else if (sources.every((source) => source.path_token.length === 0)) {
    add(
      'warn',
      'no-path-token',
      ['look_up'],
      'inbound: no source has a path_token, so every inbound call gets the neutral answer',
      'set path_token on the source and put it into the address at Synthflow',
    );
  }
}

/** @param read gets the paths that are read */
function checkVariables(
  variables: Written['variables'],
  section: string[],
  names: AlongNames,
  read: string[],
  add: Add,
): Record<string, InboundVariable> {
  const checked: Record<string, InboundVariable> = {};
  for (const [name, written] of Object.entries(variables)) {
    const path = [...section, name];
    const label = ['inbound', ...path].join('.');
    if (RESERVED.has(name)) {
      add('error', 'reserved-name', path, `${label} is set by Wrapup itself`, 'choose another name');
    } else if (typeof written === 'object') checked[name] = written;
    else if (typeof written !== 'string') checked[name] = { value: written };
    else {
      const problem = pathProblem(written, names);
      if (problem) add('error', problem.code, path, `${label}: ${problem.message}`, problem.hint);
      else {
        read.push(written);
        checked[name] = { path: parseInboundPath(written) ?? [] };
      }
    }
  }
  return checked;
}

type CheckCondition = (written: unknown, label: string, path: PropertyKey[]) => InboundCondition | undefined;

/** Variables that wait for a second fact. */
function checkPersonal(
  { personal, variables }: Written,
  names: AlongNames,
  read: string[],
  check: CheckCondition,
  add: Add,
): Inbound['personal'] {
  if (!personal) return undefined;
  for (const name of Object.keys(personal.variables).filter((one) => Object.hasOwn(variables, one)))
    add(
      'error',
      'duplicate-name',
      ['personal', 'variables', name],
      `inbound.variables tells ${name} to every caller already`,
      'keep it under personal, or choose another name',
    );
  const when = check(personal.when, 'inbound.personal', ['personal', 'when']);
  const checked = checkVariables(personal.variables, ['personal', 'variables'], names, read, add);
  return when && { when, variables: checked };
}

/** A condition that can be asked while the phone rings. @returns undefined when something is wrong with it */
function checkCondition(
  written: unknown,
  label: string,
  path: PropertyKey[],
  read: string[],
  { document, base, names }: { document: YamlDocument; base: readonly string[]; names: AlongNames },
  add: Add,
): InboundCondition | undefined {
  const paths = pathsIn(written);
  const wrong = paths.map((one) => conditionProblem(one, names)).find((problem) => problem !== undefined);
  if (wrong) {
    add('error', wrong.code, path, `${label}: ${wrong.message}`, wrong.hint);
    return undefined;
  }
  read.push(...paths);
  const when = compileCondition(written, document, [...base, ...path], { person: true });
  return when && ((call, caller) => when(call, propertiesOf(caller)));
}

function checkRules(inbound: Written, check: CheckCondition, add: Add): InboundRule[] {
  const rules: InboundRule[] = [];
  inbound.agents.forEach((rule, index) => {
    const path = ['agents', index];
    const label = `inbound.agents[${index}]`;
    if ((rule.agent === undefined) === !rule.decline) {
      const message = `${label} must say either agent: <model id> or decline: true`;
      add('error', 'bad-value', path, message, 'keep one of the two');
    }
    if (rule.decline && rule.when === undefined && rule.hours === undefined) {
      const message = `${label} declines every call that reaches it`;
      add('error', 'bad-value', path, message, 'say with when which calls are declined');
    }
    if (rule.hours && !inbound.office_hours) {
      const message = `${label} goes by office hours, and inbound.office_hours says none`;
      const hint = 'write office_hours: { time_zone: Europe/Berlin, weekdays: "09:00-17:30" }';
      add('error', 'missing-key', [...path, 'hours'], message, hint);
    }
    const when = rule.when === undefined ? () => true : check(rule.when, label, [...path, 'when']);
    if (!when) return;
    rules.push({
      when,
      asks_caller: pathsIn(rule.when).some((one) => parseInboundPath(one)?.[0] === 'person'),
      decline: rule.decline,
      ...(rule.hours ? { hours: rule.hours } : {}),
      ...(rule.agent === undefined ? {} : { agent: rule.agent }),
    });
  });
  return rules;
}

/** The caller without the records read along, which no rule reads. */
function propertiesOf(caller: Caller): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(caller).filter(
      (entry): entry is [string, Value] => typeof entry[1] !== 'object' || entry[1] === null,
    ),
  );
}

function readsOf(paths: string[], { related, open }: AlongNames): Inbound['reads'] {
  const opened = new Map<string, Set<string>>();
  const properties = new Set<string>();
  const along = new Map<string, { properties: Set<string>; most: number }>();
  for (const path of paths) {
    const [root, name, index, property] = parseInboundPath(path) ?? [];
    if (root !== 'person' || typeof name !== 'string') continue;
    if (open.includes(name)) {
      opened.set(name, (opened.get(name) ?? new Set()).add(String(index)));
      continue;
    }
    if (!related.includes(name)) {
      // The record's id comes with it.
      if (name !== 'id') properties.add(name);
      continue;
    }
    const one = along.get(name) ?? { properties: new Set(), most: 1 };
    if (typeof property === 'string') one.properties.add(property);
    one.most = Math.min(MAX_RELATED, Math.max(one.most, Number(index) + 1));
    along.set(name, one);
  }
  return {
    properties: [...properties].sort(),
    related: Object.fromEntries(
      [...along].map(([name, one]) => [name, { properties: [...one.properties].sort(), most: one.most }]),
    ),
    ...(opened.size > 0 && { open: Object.fromEntries([...opened].map(([name, read]) => [name, [...read].sort()])) }),
  };
}
