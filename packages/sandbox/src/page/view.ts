/** A CRM as a person looks at it: people with what happened with them, latest first. */
import type { Entry, Fact } from './timeline.ts';

export interface Person {
  /** `Contact`, `Lead`. */
  kind: string;
  id: string;
  /** Name of its place on the page. */
  anchor: string;
  name: string;
  initials: string;
  status: string | undefined;
  facts: Fact[];
  entries: Entry[];
}

export interface View {
  /** `HubSpot`. */
  crm: string;
  /** Which account it is. */
  about: string;
  counts: { label: string; count: number }[];
  people: Person[];
  /** People that are not shown, since there are too many. */
  morePeople: number;
  /** What has no owner. */
  loose: Entry[];
  moreLoose: number;
}

/** Names of places on the page: HubSpot's ids are unique within a kind of records only, Salesforce's among all. */
export const hubspotAnchor = (singular: string, id: string) => `${singular}-${id}`;
export const salesforceAnchor = (id: string) => id;

export const MOST_PEOPLE = 100;
export const MOST_LOOSE = 50;

export function initialsOf(name: string): string {
  const words = name.split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  return words
    .slice(0, 2)
    .map((word) => [...word][0]?.toUpperCase())
    .join('');
}

/** What has yet to be done stands above what happened. */
export function latestFirst(a: Entry, b: Entry): number {
  return b.at - a.at;
}
