/** Objects and fields as describes show them, with every key that the vendor sends. */
import type { SObjectField } from './field.ts';
import type { SalesforceSchema } from './schema.ts';
import type { SObject } from './sobject.ts';

/** @param root `/services/data/v66.0` */
function urls({ name }: SObject, root: string): object {
  const sobject = `${root}/sobjects/${name}`;
  return { sobject, describe: `${sobject}/describe`, rowTemplate: `${sobject}/{ID}` };
}

export function describeBriefly(object: SObject, root: string): object {
  const { name, label, labelPlural, keyPrefix, custom, createable, updateable, deletable, searchable } = object;
  return {
    activateable: false,
    createable,
    custom,
    customSetting: false,
    deletable,
    deprecatedAndHidden: false,
    feedEnabled: false,
    hasSubtypes: false,
    isInterface: false,
    isSubtype: false,
    keyPrefix,
    label,
    labelPlural,
    layoutable: createable,
    mergeable: ['Lead', 'Contact', 'Account'].includes(name),
    mruEnabled: createable,
    name,
    queryable: true,
    replicateable: true,
    retrieveable: true,
    searchable,
    triggerable: createable,
    undeletable: deletable,
    updateable,
    urls: urls(object, root),
  };
}

export function describeWhole(schema: SalesforceSchema, object: SObject, root: string): object {
  return {
    actionOverrides: [],
    ...describeBriefly(object, root),
    childRelationships: childrenOf(schema, object),
    compactLayoutable: object.createable,
    fields: schema.fields(object).map(describeField),
    listviewable: null,
    lookupLayoutable: null,
    namedLayoutInfos: [],
    networkScopeFieldName: null,
    recordTypeInfos: [
      {
        active: true,
        available: true,
        defaultRecordTypeMapping: true,
        developerName: 'Master',
        master: true,
        name: 'Master',
        recordTypeId: '012000000000000AAA',
        urls: { layout: `${root}/sobjects/${object.name}/describe/layouts/012000000000000AAA` },
      },
    ],
    searchLayoutable: object.searchable,
    sobjectDescribeOption: 'FULL',
    supportedScopes: [{ label: `All ${object.labelPlural.toLowerCase()}`, name: 'everything' }],
  };
}

function childrenOf(schema: SalesforceSchema, parent: SObject): object[] {
  return schema.objects.flatMap((child) =>
    schema
      .fields(child)
      .filter(({ type, referenceTo }) => type === 'reference' && referenceTo.includes(parent.name))
      .map(({ name }) => ({
        cascadeDelete: false,
        childSObject: child.name,
        deprecatedAndHidden: false,
        field: name,
        junctionIdListNames: [],
        junctionReferenceTo: [],
        relationshipName: childRelationshipName(child, name),
        restrictedDelete: false,
      })),
  );
}

/** How a query names the children: `Tasks`, `Cases`; null for what has no name of its own. */
export function childRelationshipName(child: SObject, by: string): string | null {
  if (/^(?:CreatedById|LastModifiedById|OwnerId)$/.test(by)) return null;
  return child.custom ? `${child.name.replace(/__c$/, 's__r')}` : child.labelPlural.replaceAll(' ', '');
}

const SOAP: Record<string, string> = {
  id: 'tns:ID',
  reference: 'tns:ID',
  boolean: 'xsd:boolean',
  int: 'xsd:int',
  double: 'xsd:double',
  currency: 'xsd:double',
  percent: 'xsd:double',
  date: 'xsd:date',
  datetime: 'xsd:dateTime',
  base64: 'xsd:base64Binary',
};

const DECIMALS: Record<string, { precision: number; scale: number }> = {
  double: { precision: 18, scale: 2 },
  currency: { precision: 18, scale: 2 },
  percent: { precision: 3, scale: 0 },
};

function describeField(one: SObjectField): object {
  const { type, length, picklist, referenceTo } = one;
  return {
    aggregatable: one.filterable && type !== 'boolean',
    aiPredictionField: false,
    autoNumber: false,
    byteLength: length * 3,
    calculated: one.calculated,
    calculatedFormula: null,
    cascadeDelete: false,
    caseSensitive: one.caseSensitive,
    compoundFieldName: null,
    controllerName: null,
    createable: one.createable,
    custom: one.custom,
    defaultValue: type === 'boolean' ? false : null,
    defaultValueFormula: null,
    defaultedOnCreate: one.defaultedOnCreate,
    dependentPicklist: false,
    deprecatedAndHidden: false,
    digits: one.digits,
    displayLocationInDecimal: false,
    encrypted: false,
    externalId: one.externalId,
    extraTypeInfo: type === 'textarea' ? 'plaintextarea' : null,
    filterable: one.filterable,
    filteredLookupInfo: null,
    formulaTreatNullNumberAsZero: false,
    groupable: one.filterable && !['double', 'currency', 'percent', 'datetime'].includes(type),
    highScaleNumber: false,
    htmlFormatted: false,
    idLookup: one.idLookup,
    inlineHelpText: null,
    label: one.label,
    length,
    mask: null,
    maskType: null,
    name: one.name,
    nameField: one.nameField,
    namePointing: referenceTo.length > 1,
    nillable: one.nillable,
    permissionable: one.nillable && type !== 'id',
    picklistValues: picklist.map(({ active, isDefault, label, value }) => ({
      active,
      defaultValue: isDefault,
      label,
      validFor: null,
      value,
    })),
    polymorphicForeignKey: referenceTo.length > 1,
    precision: DECIMALS[type]?.precision ?? 0,
    queryByDistance: false,
    referenceTargetField: null,
    referenceTo,
    relationshipName: one.relationshipName,
    relationshipOrder: null,
    restrictedDelete: false,
    restrictedPicklist: one.restrictedPicklist,
    scale: DECIMALS[type]?.scale ?? 0,
    searchPrefilterable: type === 'reference',
    soapType: SOAP[type] ?? 'xsd:string',
    sortable: one.filterable,
    type,
    unique: one.unique,
    updateable: one.updateable,
    writeRequiresMasterRead: false,
  };
}
