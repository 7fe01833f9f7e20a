import { type Call, callKey } from '@wrapup/call';
import type { Finding, Place } from '@wrapup/findings';
import { type MapNode, Report, textOf, toPlain } from '@wrapup/findings';
import type { Compiling, NamedValue } from '../language/compile-path.ts';
import { loadMapping, type ReadFile } from '../load/load-mapping.ts';
import type { CompiledMapping, MappedField, MappedPath } from '../model/compiled.ts';
import type { Dialect } from '../model/dialect.ts';
import type { Plan, Value } from '../model/plan.ts';
import { mappingSchema } from '../schema/mapping-schema.ts';
import { type OfficeHours, officeHoursSchema, toOfficeHours } from '../time/office-hours.ts';
import { isTimeZone } from '../time/zone.ts';
import { Absent, isNothing, type Scope } from '../values/found.ts';
import { isNumberWriting } from '../values/numbers.ts';
import { compileDefine } from './define.ts';
import { describeFields, endOf } from './fields.ts';
import { describeOwner } from './owner.ts';
import { type CompiledPerson, compilePerson } from './person.ts';
import { type CompiledRecord, compileRecords, describeRecords, planRecords } from './records.ts';

export interface MappingSource {
  /** Path in the config folder, with `/`: `mappings/hubspot.yaml`. Findings name the file so. */
  name: string;
  text: string;
  dialect: Dialect;
  /** Reads a file of the config folder that a mapping extends; only paths inside the folder are asked for. */
  readFile: ReadFile;
  /** Lines that mean something else than in the version before are warnings. */
  tells_changes?: boolean;
}

/**
 * Checks a mapping and makes it ready to run. Never throws on a mapping, however broken: what is wrong with it comes
 * back as findings, all at once, and with an error among them there is no mapping.
 */
export function compileMapping(source: MappingSource): { mapping?: CompiledMapping; findings: Finding[] } {
  const { mapping, findings } = compileWithTree(source);
  return { findings, ...(mapping ? { mapping } : {}) };
}

/** As `compileMapping`, with the mapping as one tree: its own file and all that it extends. */
export function compileWithTree(source: MappingSource): {
  tree?: MapNode;
  mapping?: CompiledMapping;
  findings: Finding[];
} {
  const { name, text, dialect, readFile, tells_changes = false } = source;
  const report = new Report();
  const schema = mappingSchema(dialect);
  const loaded = loadMapping(name, text, { dialect, schema, readFile, report, tells_changes });
  if (!loaded) return { findings: report.findings };
  if (!loaded.whole) {
    const alone = new Report();
    compileTree(loaded.tree, dialect, alone);
    report.findings.push(...alone.findings.filter(({ code }) => CERTAIN.has(code)));
    return { findings: report.findings };
  }
  const { person, records, needs, reads, result } = compileTree(loaded.tree, dialect, report, tells_changes);
  checkPersonIsThere(needs, person, report);
  if (!person && records.length === 0 && !report.failed)
    report.warn(
      'empty-mapping',
      'the mapping writes nothing',
      { file: name, line: 1, column: 1 },
      'write extends: …, or a person and a call_log',
    );
  if (report.failed) return { findings: report.findings };
  const fields = [
    ...describeFields(person?.fields ?? [], 'person', dialect.person.object),
    ...describeOwner(person?.owner, 'person', dialect.person.object),
    ...records.flatMap((record) => [
      ...describeFields(record.fields, record.name, record.object),
      ...describeOwner(record.owner, record.name, record.object),
      ...(record.find?.fields ?? []).map(
        (field): MappedField => ({ record: record.name, object: record.object, ...field, use: 'read' }),
      ),
    ]),
    ...[...needs].map(
      ([property, at]): MappedField => ({ record: 'person', object: dialect.person.object, property, use: 'read', at }),
    ),
  ];
  const parts: Parts = { identity: { name, hash: loaded.hash }, person, records, needs: [...needs.keys()], result };
  return {
    tree: loaded.tree,
    findings: report.findings,
    mapping: {
      name,
      kind: dialect.kind,
      hash: loaded.hash,
      fields,
      reads: [...reads.values()],
      records: describeRecords(records),
      plan: (call, route) => makePlan(parts, call, route, undefined),
    },
  };
}

/** What is wrong with a file whatever it extends: the rest may be right with what could not be read. */
const CERTAIN: ReadonlySet<string> = new Set([
  'unknown-path',
  'bad-path',
  'refused-path',
  'unclosed-placeholder',
  'bad-placeholder',
  'unknown-transform',
  'bad-argument',
  'unknown-value',
]);

interface CompiledTree {
  person: CompiledPerson | undefined;
  records: CompiledRecord[];
  needs: Map<string, Place>;
  reads: Map<string, MappedPath>;
  result: NamedValue | undefined;
}

/** The named value that says what a call came to. */
const RESULT = 'result';
/** For a result that only the call knows: it may hold what a person said. */
const OTHER_RESULT = 'other';

function compileTree(tree: MapNode, dialect: Dialect, report: Report, tells_changes = false): CompiledTree {
  const needs = new Map<string, Place>();
  const zone = readZone(tree, report);
  const number = textOf(tree.entries.get('number')?.value);
  const reading = { zone, ...(number !== undefined && isNumberWriting(number) ? { number } : {}) };
  const reads: CompiledTree['reads'] = new Map();
  const my = compileDefine(tree.entries.get('define')?.value, { report, reading, tells_changes, reads });
  const office = readOffice(tree, zone);
  const compiling: Compiling = { report, needs, my, reading, tells_changes, reads, ...(office && { office }) };
  const node = tree.entries.get('person')?.value;
  const person = node && compilePerson(node, dialect, zone, compiling);
  const records = compileRecords(tree, dialect, zone, compiling, person?.owner);
  const result = my.names.includes(RESULT) ? my.find(RESULT) : undefined;
  return { person, records, needs, reads, result };
}

function readZone(tree: MapNode, report: Report): string {
  const node = tree.entries.get('time_zone')?.value;
  const zone = textOf(node) ?? 'UTC';
  if (isTimeZone(zone)) return zone;
  if (node)
    report.error(
      'bad-value',
      `there is no time zone "${zone}"`,
      node.at,
      'write its IANA name: America/New_York, Europe/Berlin',
    );
  return 'UTC';
}

/** Undefined also where its shape is wrong, which has been reported. */
function readOffice(tree: MapNode, zone: string): OfficeHours | undefined {
  const node = tree.entries.get('office_hours')?.value;
  const parsed = node && officeHoursSchema.safeParse(toPlain(node));
  return parsed?.success ? toOfficeHours(parsed.data, zone) : undefined;
}

function checkPersonIsThere(needs: Map<string, Place>, person: CompiledPerson | undefined, report: Report): void {
  if (person) return;
  for (const [property, at] of needs)
    report.error(
      'unknown-path',
      `person.${property} cannot be read: the mapping looks for no person`,
      at,
      'add a person section',
    );
}

interface Parts {
  identity: { name: string; hash: string };
  person: CompiledPerson | undefined;
  records: CompiledRecord[];
  needs: string[];
  result: NamedValue | undefined;
}

/** What `if_newer` compares when the call says nothing of its time: older than everything. */
const NEVER = 0;

function makePlan(parts: Parts, call: Call, route: string, known: Record<string, Value> | undefined): Plan {
  const scope = { call, person: known };
  const person = parts.person?.plan(scope);
  const { records, left, parked: waits } = planRecords(parts.records, scope);
  const parked = person?.parked ?? waits;
  const result = parts.result && resultOf(parts.result, scope);
  return {
    key: callKey(call),
    route,
    mapping: parts.identity,
    call,
    ended_at: new Date(endOf(call) ?? NEVER).toISOString(),
    person: person?.person ?? null,
    records,
    left_out: [...(person?.left ?? []), ...left],
    ...(result === undefined ? {} : { result }),
    parked,
    needs: parts.needs,
    // What the worker noted on the plan (its revision, what earlier attempts did) stays on it.
    settle(this: Plan, found) {
      return { ...this, ...makePlan(parts, call, route, found) };
    },
  };
}

function resultOf({ evaluate, known }: NamedValue, scope: Scope): string | undefined {
  const value = evaluate(scope);
  if (isNothing(value) || value instanceof Absent) return undefined;
  const isKnown = (typeof value === 'string' || typeof value === 'boolean') && known.values?.includes(value);
  return isKnown ? String(value) : OTHER_RESULT;
}
