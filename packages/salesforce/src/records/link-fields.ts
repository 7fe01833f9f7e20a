/** Which field of a record points at a person or at another record. Pure. */
import type { Target } from '@wrapup/destination/engine';
import type { SObject } from '../account/schema.ts';
import { OWNER } from '../objects.ts';

export interface Links {
  /** Ids by field. */
  fields: Record<string, string>;
  notes: string[];
}

/**
 * Fields that are known, by the object that points and the one it points at.
 * https://developer.salesforce.com/docs/platform/object-reference/references/standard-objects/object-task.html
 */
const KNOWN: Record<string, Record<string, string>> = {
  Task: { Contact: 'WhoId', Lead: 'WhoId', '*': 'WhatId' },
  Event: { Contact: 'WhoId', Lead: 'WhoId', '*': 'WhatId' },
  // Given once, when the opportunity is made: it becomes the primary contact role.
  Opportunity: { Contact: 'ContactId', Account: 'AccountId' },
  Case: { Contact: 'ContactId', Account: 'AccountId' },
};

/** Reference fields that mean something else than "about". */
const NOT_LINKS = new Set([OWNER, 'CreatedById', 'LastModifiedById', 'MasterRecordId', 'ParentId', 'ReportsToId']);

export function linksOf(object: SObject, targets: readonly Target[]): Links {
  const links: Links = { fields: {}, notes: [] };
  for (const target of targets) {
    const field = fieldFor(object, target.object);
    if (field === undefined) note(links, object, target);
    else if (links.fields[field] === undefined) links.fields[field] = target.id;
    else if (links.fields[field] !== target.id)
      links.notes.push(`${object.name} points at one record by ${field}: ${target.name} was left out of it.`);
    if (object.name === 'Opportunity' && target.account && object.fields.has('AccountId'))
      links.fields.AccountId ??= target.account;
  }
  return withoutRelatedToLeads(object, targets, links);
}

/** A task or event of a lead can have nothing that it relates to. */
function withoutRelatedToLeads(object: SObject, targets: readonly Target[], links: Links): Links {
  const lead = targets.some((target) => target.object === 'Lead' && links.fields.WhoId === target.id);
  if (!lead || links.fields.WhatId === undefined) return links;
  const { WhatId: _, ...fields } = links.fields;
  return {
    fields,
    notes: [...links.notes, `${object.name} of a lead can relate to nothing else: WhatId was left out.`],
  };
}

function fieldFor(object: SObject, target: string): string | undefined {
  const known = KNOWN[object.name]?.[target] ?? KNOWN[object.name]?.['*'];
  if (known !== undefined) return object.fields.has(known) ? known : undefined;
  const pointing = [...object.fields.values()].filter(
    ({ name, createable, references }) => createable && references.includes(target) && !NOT_LINKS.has(name),
  );
  const own = pointing.filter(({ name }) => name.endsWith('__c'));
  const choice = own.length > 0 ? own : pointing;
  return choice.length === 1 ? choice[0]?.name : undefined;
}

/** An account knows nothing of people by itself: its contacts point at it. */
function note(links: Links, { name }: SObject, target: Target): void {
  if (name === 'Account') return;
  links.notes.push(
    `${name} has no one field that points at a ${target.object}: it was not linked to ${target.name}. Name the field in the mapping.`,
  );
}
