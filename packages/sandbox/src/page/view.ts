/** A CRM as a person looks at it: people with what happened with them, latest first. */
import type { Fact, TimelineEntry } from './timeline.ts';

export interface PersonView {
  /** `Contact`, `Lead`. */
  kind: string;
  id: string;
  /** Name of its place on the page. */
  anchor: string;
  name: string;
  initials: string;
  status: string | undefined;
  facts: Fact[];
  entries: TimelineEntry[];
}

export interface View {
  /** `HubSpot`. */
  crm: string;
  /** Which account it is. */
  about: string;
  counts: { label: string; count: number }[];
  people: PersonView[];
  /** People that are not shown, since there are too many. */
  morePeople: number;
  /** What has no owner. */
  loose: TimelineEntry[];
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
export function latestFirst(a: TimelineEntry, b: TimelineEntry): number {
  return b.at - a.at;
}
