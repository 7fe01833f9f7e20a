/**
 * What a deployment does: objects, then fields, then permission sets, all of it or nothing.
 *
 * A new field is invisible, to the administrator as well, until a permission set that opens it is assigned: that is the trap
 * of every deployment by API, and the sandbox sets it too.
 */

import type { SalesforceGrants } from '../auth/grants.ts';
import { SalesforceRefusal } from '../http/refusal.ts';
import type { SalesforceRecords } from '../records/records.ts';
import { formatDatetime } from '../records/values.ts';
import { defineObject } from '../schema/define.ts';
import type { SalesforceSchema } from '../schema/schema.ts';
import { readField } from './field-xml.ts';
import { listOf, type Package, type Xml } from './package.ts';

export interface Component {
  componentType: string;
  fullName: string;
  fileName: string;
  created: boolean;
  changed: boolean;
  success: boolean;
  problem?: string;
  problemType?: 'Error';
}

/** The parts of an org that a deployment changes. */
export interface DeployTarget {
  schema: SalesforceSchema;
  grants: SalesforceGrants;
  records: SalesforceRecords;
  /** The user as whom the integration works. */
  userId: string;
}

interface Step extends Pick<Component, 'componentType' | 'fullName' | 'fileName' | 'created'> {
  apply(): void;
}

/** @param checkOnly looks at everything and changes nothing */
export function deploy(org: DeployTarget, given: Package, checkOnly: boolean): Component[] {
  const failures: Component[] = [];
  const steps: Step[] = [];
  const attempt = (about: Pick<Component, 'componentType' | 'fullName' | 'fileName'>, plan: () => Step | Step[]) => {
    try {
      steps.push(...[plan()].flat());
    } catch (error) {
      if (!(error instanceof SalesforceRefusal)) throw error;
      failures.push({
        ...about,
        created: false,
        changed: false,
        success: false,
        problem: error.message,
        problemType: 'Error',
      });
    }
  };
  for (const [componentType, names] of Object.entries(given.members)) {
    for (const fullName of names) {
      const about = { componentType, fullName, fileName: fileOf(componentType, fullName) };
      attempt(about, () => plan(org, given, about));
    }
  }
  if (failures.length > 0) return failures;
  if (!checkOnly) for (const step of steps.toSorted((a, b) => rank(a) - rank(b))) step.apply();
  return steps.map(({ apply: _apply, ...step }) => ({ ...step, changed: true, success: true }));
}

const ORDER = ['CustomObject', 'CustomField', 'PermissionSet'];
const rank = ({ componentType }: Step) => ORDER.indexOf(componentType);

function fileOf(type: string, fullName: string): string {
  return type === 'PermissionSet'
    ? `permissionsets/${fullName}.permissionset`
    : `objects/${fullName.split('.')[0]}.object`;
}

type About = Pick<Component, 'componentType' | 'fullName' | 'fileName'>;

function plan(org: DeployTarget, given: Package, about: About): Step | Step[] {
  switch (about.componentType) {
    case 'CustomObject':
      return planObject(org, given, about);
    case 'CustomField':
      return planField(org, given, about);
    case 'PermissionSet':
      return planPermissionSet(org, given, about);
    default:
      throw new SalesforceRefusal(
        'INVALID_TYPE',
        `Unknown type name '${about.componentType}' specified in package.xml`,
      );
  }
}

function missing({ componentType, fullName }: About): SalesforceRefusal {
  return new SalesforceRefusal(
    'NOT_FOUND',
    `An object '${fullName}' of type ${componentType} was named in package.xml, but was not found in zipped directory`,
  );
}

/** A custom object brings its fields. */
function planObject(org: DeployTarget, given: Package, about: About): Step[] {
  const xml = given.objects[about.fullName];
  if (!xml) throw missing(about);
  const { fullName } = about;
  if (org.schema.find(fullName)) return [{ ...about, created: false, apply: () => undefined }];
  for (const key of ['label', 'pluralLabel', 'nameField', 'deploymentStatus', 'sharingModel']) {
    if (xml[key] === undefined)
      throw new SalesforceRefusal('REQUIRED_FIELD_MISSING', `Must specify ${key} for CustomObject ${fullName}`);
  }
  const object = defineObject(org.schema, fullName, String(xml.label));
  const fields = listOf<Xml>(xml.fields).map((field) => readField(field, fullName));
  const apply = () => {
    org.schema.addObject(object);
    for (const field of fields) {
      org.schema.addField(fullName, field);
      org.grants.close(fullName, field.name);
    }
  };
  return [{ ...about, created: true, apply }];
}

function planField(org: DeployTarget, given: Package, about: About): Step {
  const [object = '', name = ''] = about.fullName.split('.');
  const xml = listOf<Xml>(given.objects[object]?.fields).find(({ fullName }) => fullName === name);
  if (!xml) throw missing(about);
  const isNew = given.members.CustomObject?.includes(object);
  if (object !== 'Activity' && !org.schema.find(object) && !isNew) {
    throw new SalesforceRefusal(
      'INVALID_TYPE',
      `Entity Enumeration Or ID: bad value for restricted picklist field: ${object}`,
    );
  }
  const field = readField(xml, object);
  const created = !org.schema.hasField(object, name);
  return {
    ...about,
    created,
    apply: () => {
      org.schema.addField(object, field);
      if (created) org.grants.close(object, name);
    },
  };
}

function planPermissionSet(org: DeployTarget, given: Package, about: About): Step {
  const xml = given.permissionSets[about.fullName];
  if (!xml) throw missing(about);
  if (xml.label === undefined)
    throw new SalesforceRefusal('REQUIRED_FIELD_MISSING', 'Required field is missing: label');
  const fields = listOf<{ field: string; readable?: string; editable?: string }>(xml.fieldPermissions);
  for (const { field } of fields) {
    const [object = '', name = ''] = field.split('.');
    const deployed = given.members.CustomField?.some((one) => one === field || one === `Activity.${name}`);
    const inObject = listOf<Xml>(given.objects[object]?.fields).some(({ fullName }) => fullName === name);
    if (!deployed && !inObject && !org.schema.hasField(object, name)) {
      throw new SalesforceRefusal('NOT_FOUND', `In field: field - no CustomField named ${field} found`);
    }
  }
  const sets = org.schema.object('PermissionSet');
  const existing = org.records.live(sets).find(({ values }) => values.get('Name') === about.fullName);
  return {
    ...about,
    created: !existing,
    apply: () => {
      const values = new Map([
        ['Name', about.fullName],
        ['Label', String(xml.label)],
      ]);
      const set = existing ?? org.records.create(sets, values, formatDatetime(new Date()), org.userId);
      org.grants.define(
        set.id,
        fields
          .filter(({ readable }) => readable === 'true')
          .map(({ field, editable }) => ({ field, editable: editable === 'true' })),
      );
    },
  };
}
