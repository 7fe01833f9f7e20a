/** What a request of the workbench is about: the route, its mapping as edited, and the call. */
import { own } from '@wrapup/call';
import { type Config, type MappingPlace, placeOfMapping, type Route, readMapping, type Source } from '@wrapup/config';
import type { LedgerEntry, Store } from '@wrapup/queue';
import { type CallToPlan, readStanding, whyUnreadable } from '@wrapup/recovery/standing-call';
import type { Request, Response } from 'express';
import { ask } from '../../queries/ask-redis.ts';
import { type ClientScope, configOfScope, isInScope } from '../../security/client-scope.ts';
import { fieldOf } from '../request.ts';

/** The mapping that a page is about, and where calls for it come from. */
export interface Bench {
  config: Config;
  route?: Route;
  place?: MappingPlace;
  /** As its file is now; undefined where it cannot be read. */
  installed?: { text: string; digest: string };
  /** Of the route, inside the scope. */
  sources: string[];
}

/** @param wanted name of a route; the first when it is undefined */
export function openBench(config: Config, scope: ClientScope, wanted: string | undefined): Bench {
  const narrowed = configOfScope(config, scope);
  const route = wanted === undefined ? narrowed.routes[0] : narrowed.routes.find(({ name }) => name === wanted);
  const place = route && placeOfMapping(config, route);
  const installed = place && readMapping(place);
  const sources = (route?.from ?? []).filter((name) => isInScope(scope, name) && Object.hasOwn(config.sources, name));
  return {
    ...{ config: narrowed, sources },
    ...(route ? { route } : {}),
    ...(place ? { place } : {}),
    ...(installed ? { installed } : {}),
  };
}

/** The source that the call is of: the one that is named, else the first of the route. */
export function chooseSource({ config, sources }: Bench, named: string | undefined): Source | undefined {
  const name = named ?? sources[0];
  return name === undefined ? undefined : own(config.sources, name);
}

/** A call of the ledger, with its stored payload read. */
export interface OpenedCall {
  entry: LedgerEntry;
  standing: CallToPlan;
}

/** @param look notes the look before the payload is read @returns undefined when no such call is known @throws Unavailable */
export async function openCall(
  store: Store,
  source: Source,
  call_id: string,
  look: () => Promise<void>,
): Promise<OpenedCall | { unreadable: string } | undefined> {
  const entry = await ask(store, () => store.ledger.read(source.name, call_id));
  if (!entry) return undefined;
  await look();
  const standing = await ask(store, () => readStanding(store, entry, source));
  return standing ? { entry, standing } : { unreadable: whyUnreadable(entry) };
}

/** A text field: with the line ends that a file has, as browsers send others. */
export function textOf(request: Request, name: string): string | undefined {
  return fieldOf(request, name)?.replaceAll('\r\n', '\n');
}

/** Who asks, for the order of evaluations. */
export function ownerOf(request: Request, response: Response): string {
  return `${response.locals.identity?.principal.name ?? ''} ${request.ip ?? ''}`;
}

/** Milliseconds for which one look at a payload lasts: a page that is typed in asks for the same call again and again. */
const LOOK_MS = 10 * 60_000;
const MOST_LOOKS = 1_000;

/** Looks that were noted, so that the audit has one entry for a sitting and not one for each key. */
export class NotedLooks {
  readonly #noted = new Map<string, number>();

  /** Whether this one has to be noted. */
  isNew(key: string, now = Date.now()): boolean {
    const at = this.#noted.get(key);
    if (at !== undefined && now - at < LOOK_MS) return false;
    if (this.#noted.size >= MOST_LOOKS) this.#noted.clear();
    this.#noted.set(key, now);
    return true;
  }
}
