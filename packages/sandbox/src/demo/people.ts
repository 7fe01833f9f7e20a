/** Invented people. Their numbers are from the range set aside for fiction: 555-0100 to 555-0199 of each area. */
import type { Chance } from './random.ts';

export interface DemoPerson {
  name: string;
  phone: string;
  email: string;
}

const FIRST =
  'Alma Bruno Carla Dario Elin Farid Gwen Hugo Ines Jonas Kaia Luis Mira Noor Otto Pia Quinn Rosa Sami Tess'.split(' ');
const LAST =
  'Alder Birch Cedar Damson Elm Fir Ginkgo Hazel Ivywood Juniper Kauri Larch Maple Nutmeg Oakley Pine Rowan Spruce Teak Willow'.split(
    ' ',
  );
const AREAS = '206 212 303 312 404 415 503 512 602 617 619 702 713 801 808 813 901 916 919 970'.split(' ');
const NUMBERS_PER_AREA = 98;
/** The first two of an area are the agents' own. */
const FIRST_NUMBER = 102;

/** So many people have a number of their own; after them the numbers begin again. */
export const PEOPLE = AREAS.length * NUMBERS_PER_AREA;

export function personNumber(index: number): DemoPerson {
  const n = index % PEOPLE;
  const name = `${FIRST[n % FIRST.length]} ${LAST[Math.floor(n / FIRST.length) % LAST.length]}`;
  const area = AREAS[n % AREAS.length];
  const line = FIRST_NUMBER + Math.floor(n / AREAS.length);
  return {
    name,
    phone: `+1${area}5550${line}`,
    email: `${name.toLowerCase().replace(' ', '.')}.${n}@example.com`,
  };
}

/** Mostly a new person; now and then one who was called before. */
export function nextPerson(chance: Chance, index: number): DemoPerson {
  return personNumber(index > 0 && chance.next() < 0.1 ? chance.whole(0, index - 1) : index);
}
