/**
 * Looks for all viewers of this process whether anything has moved: one command of Redis every few seconds, however many look, and
 * none while no one does. A viewer is given what is its client's, and is not called for what is not.
 */
import { type Activity, readActivity, type Store, type WatchedCall } from '@wrapup/queue';

/** Ms between two looks: so often is a page that is looked at made again, at most. */
const LOOK_EVERY_MS = 3_000;

export interface Watching {
  /** Absent: everything. */
  client?: string | undefined;
  /** Only this call counts. */
  call?: WatchedCall | undefined;
  /** Given what holds at first, and again whenever it is otherwise. */
  send(activity: Activity): void;
}

interface Viewer extends Watching {
  sent?: string;
}

/** What the last look found, by client and by call. */
interface Found {
  activities: Map<string | undefined, Activity>;
  calls: Map<string, string>;
}

export class Watch {
  /** Looks so far, each one command of Redis. */
  looks = 0;
  readonly #store: Store;
  readonly #every: number;
  readonly #viewers = new Set<Viewer>();
  #found: Found | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;

  constructor(store: Store, every = LOOK_EVERY_MS) {
    this.#store = store;
    this.#every = every;
  }

  /** @returns ends it */
  add(watching: Watching): () => void {
    const viewer: Viewer = { ...watching };
    this.#viewers.add(viewer);
    // Found moments ago, for others; what is not among it is looked for now, at once for all who come in one turn.
    if (!this.#give(viewer)) this.#lookIn(0);
    return () => {
      this.#viewers.delete(viewer);
      if (this.#viewers.size > 0) return;
      clearTimeout(this.#timer);
      this.#found = undefined;
    };
  }

  #lookIn(ms: number): void {
    if (this.#isLooking) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), ms);
  }

  async #look(): Promise<void> {
    this.#isLooking = true;
    let isComplete = true;
    try {
      this.#found = await this.#read();
      for (const viewer of this.#viewers) isComplete = this.#give(viewer) && isComplete;
    } catch {
      // Redis is away: pages say so themselves. A later look finds what has moved meanwhile.
    }
    this.#isLooking = false;
    // Someone came during the look, for what it was not about.
    if (this.#viewers.size > 0) this.#lookIn(isComplete ? this.#every : 0);
    else this.#found = undefined;
  }

  async #read(): Promise<Found> {
    const viewers = [...this.#viewers];
    const clients = [...new Set(viewers.map(({ client }) => client))];
    const calls = new Map(viewers.flatMap(({ call }) => (call ? [[keyOf(call), call] as const] : [])));
    const { redis, keys } = this.#store;
    this.looks += 1;
    const found = await readActivity(redis, keys, clients, [...calls.values()]);
    return {
      activities: new Map(clients.map((client, index) => [client, found.activities[index] as Activity])),
      calls: new Map([...calls.keys()].map((key, index) => [key, found.calls[index] as string])),
    };
  }

  /** @returns whether it is known what holds for it */
  #give(viewer: Viewer): boolean {
    const activity = this.#found?.activities.get(viewer.client);
    const mark = viewer.call ? this.#found?.calls.get(keyOf(viewer.call)) : activity?.mark;
    if (!activity || mark === undefined) return false;
    const sent = `${mark} ${activity.parked} ${activity.dead}`;
    if (viewer.sent !== sent) {
      viewer.sent = sent;
      viewer.send({ ...activity, mark });
    }
    return true;
  }
}

const keyOf = ({ source, call_id }: WatchedCall) => `${source}:${call_id}`;
