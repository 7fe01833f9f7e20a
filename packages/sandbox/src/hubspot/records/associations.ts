/** Links between records. A link is kept from both ends; linking twice is the same as once. */
import { getOrAdd } from '../../get-or-add.ts';
import type { Journal } from '../../journal.ts';
import type { AssociationType, AssociationTypes } from '../schema/association-types.ts';
import type { ObjectType } from '../schema/object-types.ts';
import type { HubSpotRecord } from './records.ts';

export interface Linked {
  id: string;
  types: AssociationType[];
}

export class Associations {
  readonly types: AssociationTypes;
  readonly #journal: Journal;
  /** By record, by object at the other end, by id there: numbers of the links. */
  readonly #links = new Map<string, Map<string, Map<string, Set<number>>>>();

  readonly #isThere: (type: ObjectType, id: string) => boolean;

  /** @param isThere whether that record exists and is not archived: links to others are not shown */
  constructor(types: AssociationTypes, journal: Journal, isThere: (type: ObjectType, id: string) => boolean) {
    this.types = types;
    this.#journal = journal;
    this.#isThere = isThere;
  }

  /** Links two records. A type that goes with a label or is primary brings the plain link with it. */
  link(from: HubSpotRecord, to: HubSpotRecord, types: AssociationType[]): void {
    const before = new Set(this.#set(from, to));
    const plain = this.types.between(from.type, to.type).find((type) => type.label === null);
    for (const type of plain ? [plain, ...types] : types) {
      if (type.primary) this.#dropPrimary(from, to, type);
      this.#set(from, to).add(type.id);
      this.#set(to, from).add(type.inverse);
    }
    if (before.size < this.#set(from, to).size) this.#note('associated', from, to);
  }

  /** As `link`, but labels that were there and are not named are taken off. */
  replaceLabels(from: HubSpotRecord, to: HubSpotRecord, types: AssociationType[]): void {
    const named = new Set(types.map((type) => type.id));
    for (const id of [...this.#set(from, to)]) {
      const type = this.types.byId(from.type, to.type, id);
      if (type?.category !== 'USER_DEFINED' || type.label === null || named.has(id)) continue;
      this.#set(from, to).delete(id);
      this.#set(to, from).delete(type.inverse);
    }
    this.link(from, to, types);
  }

  unlink(from: HubSpotRecord, to: HubSpotRecord): void {
    const had = this.#set(from, to).size > 0;
    this.#links.get(key(from))?.get(to.type.name)?.delete(to.id);
    this.#links.get(key(to))?.get(from.type.name)?.delete(from.id);
    if (had) this.#note('dissociated', from, to);
  }

  of(record: HubSpotRecord, to: ObjectType): Linked[] {
    const links = this.#links.get(key(record))?.get(to.name) ?? new Map<string, Set<number>>();
    return [...links]
      .filter(([id, ids]) => ids.size > 0 && this.#isThere(to, id))
      .map(([id, ids]) => ({
        id,
        types: [...ids].map((number) => this.types.byId(record.type, to, number)).filter((type) => type !== undefined),
      }));
  }

  /** Hands all links of one record to another. */
  move(
    loser: HubSpotRecord,
    winner: HubSpotRecord,
    find: (object: string, id: string) => HubSpotRecord | undefined,
  ): void {
    for (const [object, links] of this.#links.get(key(loser)) ?? []) {
      for (const id of [...links.keys()]) {
        const other = find(object, id);
        if (!other || other === winner) continue;
        const { types } = this.of(loser, other.type).find((linked) => linked.id === id) as Linked;
        this.unlink(loser, other);
        this.link(winner, other, types);
      }
    }
  }

  #dropPrimary(from: HubSpotRecord, to: HubSpotRecord, type: AssociationType): void {
    for (const [id, ids] of this.#links.get(key(from))?.get(to.type.name) ?? []) {
      if (id !== to.id && ids.delete(type.id)) {
        this.#links.get(`${to.type.id}:${id}`)?.get(from.type.name)?.get(from.id)?.delete(type.inverse);
      }
    }
  }

  #set(from: HubSpotRecord, to: HubSpotRecord): Set<number> {
    const ofRecord = getOrAdd(this.#links, key(from), () => new Map<string, Map<string, Set<number>>>());
    const ofObject = getOrAdd(ofRecord, to.type.name, () => new Map<string, Set<number>>());
    return getOrAdd(ofObject, to.id, () => new Set<number>());
  }

  #note(effect: 'associated' | 'dissociated', from: HubSpotRecord, to: HubSpotRecord): void {
    this.#journal.add({ effect, object: from.type.name, id: from.id, to: { object: to.type.name, id: to.id } });
  }
}

function key(record: HubSpotRecord): string {
  return `${record.type.id}:${record.id}`;
}
