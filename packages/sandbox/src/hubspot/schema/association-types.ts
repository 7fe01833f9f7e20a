/**
 * Which kinds of links there are between which records. Both directions of a link have their own number.
 * https://developers.hubspot.com/docs/api-reference/latest/crm/associations/associate-records/guide
 */

import { invalid } from '../http/refusal.ts';
import type { ObjectType } from './object-types.ts';

export interface AssociationSpec {
  associationCategory: string;
  associationTypeId: number;
}

export interface AssociationType {
  id: number;
  /** The same link seen from the other end. */
  inverse: number;
  from: string;
  to: string;
  category: 'HUBSPOT_DEFINED' | 'USER_DEFINED';
  label: string | null;
  /** Of one record's links of this type only one can exist. */
  primary: boolean;
}

/** Links of an object that an account switches on: the number back is one more. */
function linksOf(object: string, numbers: number[]): [string, string, number, number][] {
  const others = ['contacts', 'companies', 'deals', 'tickets', 'calls', 'meetings', 'tasks', 'notes'];
  return numbers.map((number, at) => [object, others[at] ?? '', number, number + 1]);
}

/** from, to, number from there, number back; with a label where it is not the plain link. */
const TABLE: [string, string, number, number, string?][] = [
  ['calls', 'contacts', 194, 193],
  ['calls', 'companies', 182, 181],
  ['calls', 'deals', 206, 205],
  ['calls', 'tickets', 220, 219],
  ['calls', 'meetings', 399, 400],
  ['notes', 'contacts', 202, 201],
  ['notes', 'companies', 190, 189],
  ['notes', 'deals', 214, 213],
  ['notes', 'tickets', 228, 227],
  ['tasks', 'contacts', 204, 203],
  ['tasks', 'companies', 192, 191],
  ['tasks', 'deals', 216, 215],
  ['tasks', 'tickets', 230, 229],
  ['meetings', 'contacts', 200, 199],
  ['meetings', 'companies', 188, 187],
  ['meetings', 'deals', 212, 211],
  ['meetings', 'tickets', 226, 225],
  ['contacts', 'companies', 279, 280],
  ['contacts', 'companies', 1, 2, 'Primary'],
  ['contacts', 'deals', 4, 3],
  ['contacts', 'tickets', 15, 16],
  ['contacts', 'contacts', 449, 449],
  ['companies', 'companies', 450, 450],
  ['companies', 'companies', 13, 14, 'Parent Company'],
  ['deals', 'companies', 341, 342],
  ['deals', 'companies', 5, 6, 'Primary'],
  ['deals', 'tickets', 27, 28],
  ['deals', 'deals', 451, 451],
  ['tickets', 'companies', 339, 340],
  ['tickets', 'companies', 26, 25, 'Primary'],
  ['tickets', 'tickets', 452, 452],
  ['leads', 'contacts', 608, 609],
  ['leads', 'contacts', 578, 579, 'Primary'],
  ['leads', 'companies', 610, 611],
  ['leads', 'calls', 596, 597],
  ['leads', 'meetings', 600, 601],
  ['leads', 'tasks', 646, 647],
  ['leads', 'notes', 854, 855],
  ...linksOf('services', [798, 792, 794, 796, 840, 838, 852, 836]),
  ...linksOf('courses', [860, 938, 862, 940, 866, 872, 876, 874]),
  ...linksOf('listings', [882, 884, 886, 942, 890, 896, 900, 898]),
  ...linksOf('appointments', [906, 908, 944, 946, 912, 918, 922, 920]),
];

/** Numbers of links that an account defines itself begin here. */
const FIRST_OWN = 1_001;

export class AssociationTypes {
  readonly #types: AssociationType[] = [];
  #next = FIRST_OWN;

  constructor() {
    for (const [from, to, id, inverse, label = null] of TABLE) {
      this.#add({ from, to, id, inverse, label, category: 'HUBSPOT_DEFINED', primary: label === 'Primary' });
    }
  }

  #add(type: AssociationType): void {
    this.#types.push(type);
    if (type.id !== type.inverse) {
      this.#types.push({ ...type, id: type.inverse, inverse: type.id, from: type.to, to: type.from });
    }
  }

  /** Plain links between a custom object and every other type, with numbers of their own. */
  addCustomObject(custom: ObjectType, others: ObjectType[]): void {
    for (const other of others) {
      const id = this.#next;
      this.#next += 2;
      const link = { from: other.name, to: custom.name, id, inverse: id + 1, label: null };
      this.#add({ ...link, category: 'USER_DEFINED', primary: false });
    }
  }

  addLabel(from: ObjectType, to: ObjectType, label: string): AssociationType[] {
    const id = this.#next;
    this.#next += 2;
    this.#add({ from: from.name, to: to.name, id, inverse: id + 1, label, category: 'USER_DEFINED', primary: false });
    return this.between(from, to).filter((type) => type.id === id);
  }

  between(from: ObjectType, to: ObjectType): AssociationType[] {
    return this.#types.filter((type) => type.from === from.name && type.to === to.name);
  }

  byId(from: ObjectType, to: ObjectType, id: number): AssociationType | undefined {
    return this.between(from, to).find((type) => type.id === id);
  }

  /** The link without a label. @throws Refusal when records of these types cannot be linked */
  plain(from: ObjectType, to: ObjectType): AssociationType {
    const found = this.between(from, to).find((type) => type.label === null);
    if (!found) throw invalid(`No default association type exists between ${from.name} and ${to.name}`);
    return found;
  }

  /** @throws Refusal when that number is none of a link between these types, or of another category */
  resolve(
    from: ObjectType,
    to: ObjectType,
    { associationCategory, associationTypeId }: AssociationSpec,
  ): AssociationType {
    const found = this.byId(from, to, associationTypeId);
    if (!found || found.category !== associationCategory) {
      throw invalid(
        `The association type ${associationCategory} ${associationTypeId} does not exist between ${from.singular} and ${to.singular}`,
        { subCategory: 'crm.associations.INVALID_ASSOCIATION_TYPE' },
      );
    }
    return found;
  }

  /** The types that a number leads to from one end, whatever is at the other: for inline links, which name no type. */
  target(from: ObjectType, id: number): string | undefined {
    return this.#types.find((type) => type.from === from.name && type.id === id)?.to;
  }
}
