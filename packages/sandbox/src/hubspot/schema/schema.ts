/** What one account's records look like: object types, their properties and groups, and the owners. */

import { BUILT_IN, CUSTOM_BUILT_IN } from './built-in.ts';
import { customType, OBJECT_TYPES, type ObjectType, typeNamed } from './object-types.ts';
import type { PropertyDefinition, PropertyGroup } from './property.ts';

export interface Pipeline {
  id: string;
  label: string;
  /** `closed`: a record there is at its end. */
  stages: { id: string; label: string; closed: boolean }[];
}

export interface Owner {
  id: string;
  email: string;
  firstName: string;
  lastName: string;
  userId: number;
  archived: boolean;
}

const OWNERS: Owner[] = [
  {
    id: '71000001',
    email: 'ada.owner@example.com',
    firstName: 'Ada',
    lastName: 'Owner',
    userId: 81000001,
    archived: false,
  },
  {
    id: '71000002',
    email: 'ben.seller@example.com',
    firstName: 'Ben',
    lastName: 'Seller',
    userId: 81000002,
    archived: false,
  },
  {
    id: '71000003',
    email: 'gone.seller@example.com',
    firstName: 'Gone',
    lastName: 'Seller',
    userId: 81000003,
    archived: true,
  },
];

/** Custom properties with unique values that one object may have. */
export const MAX_UNIQUE_PROPERTIES = 10;

export class HubSpotSchema {
  readonly portalId: number;
  readonly types: ObjectType[] = OBJECT_TYPES.filter(({ optional }) => !optional);
  /** By object; those of a fresh account are only known as options of its properties. */
  readonly pipelines = new Map<string, Pipeline[]>();
  readonly owners: Owner[] = OWNERS.map((owner) => ({ ...owner }));
  readonly #properties = new Map<string, Map<string, PropertyDefinition>>();
  readonly #groups = new Map<string, Map<string, PropertyGroup>>();

  constructor(portalId: number) {
    this.portalId = portalId;
    for (const type of this.types) {
      const { group, label, properties } = BUILT_IN[type.name] ?? {
        group: type.name,
        label: type.name,
        properties: [],
      };
      this.#define(type, group, label, properties);
    }
  }

  #define(type: ObjectType, group: string, label: string, properties: PropertyDefinition[]): void {
    this.#groups.set(type.id, new Map([[group, { name: group, label, displayOrder: 0 }]]));
    this.#properties.set(
      type.id,
      new Map(properties.map((definition) => [definition.name, { ...definition, groupName: group }])),
    );
  }

  /** Switches an object on that accounts begin without: `leads`. @returns undefined where HubSpot has none of that name */
  switchOn(name: string): ObjectType | undefined {
    const type = OBJECT_TYPES.find((one) => one.optional && (one.name === name || one.id === name));
    const own = BUILT_IN[type?.name ?? ''];
    if (!type || !own || this.types.includes(type)) return type;
    this.types.push(type);
    this.#define(type, own.group, own.label, [...CUSTOM_BUILT_IN, ...own.properties]);
    return type;
  }

  /** Gives the account a custom object. @param id `2-` and digits */
  addCustomObject(id: string, name: string, required: string[], properties: PropertyDefinition[]): ObjectType {
    const type = customType(id, name, required);
    this.types.push(type);
    this.#define(type, `${name}_information`, `${name} information`, [...CUSTOM_BUILT_IN, ...properties]);
    return type;
  }

  /** @throws Refusal when no type goes by that name or id */
  type(name: string): ObjectType {
    return typeNamed(this.types, this.portalId, name);
  }

  /** Undefined when there is none or it is archived. */
  property(type: ObjectType, name: string): PropertyDefinition | undefined {
    const found = this.#of(type).get(name);
    return found?.archivedAt ? undefined : found;
  }

  /** Also those that are archived. */
  allProperties(type: ObjectType): PropertyDefinition[] {
    return [...this.#of(type).values()];
  }

  /**
   * No two records have the same value. A contact's `email` is unique although its definition does not say so;
   * `hs_object_id` identifies a record too, but the vendor does not take it where this is asked.
   */
  isUnique(type: ObjectType, name: string): boolean {
    const definition = this.property(type, name);
    if (!definition || definition.readOnly) return false;
    return definition.hasUniqueValue || (type.id === '0-1' && name === 'email');
  }

  uniqueProperties(type: ObjectType): string[] {
    return this.allProperties(type)
      .filter(({ name }) => this.isUnique(type, name))
      .map(({ name }) => name);
  }

  /** Adds a property, or replaces the one of that name. */
  put(type: ObjectType, definition: PropertyDefinition): void {
    this.#of(type).set(definition.name, definition);
  }

  groups(type: ObjectType): Map<string, PropertyGroup> {
    return this.#groups.get(type.id) as Map<string, PropertyGroup>;
  }

  #of(type: ObjectType): Map<string, PropertyDefinition> {
    return this.#properties.get(type.id) as Map<string, PropertyDefinition>;
  }
}
