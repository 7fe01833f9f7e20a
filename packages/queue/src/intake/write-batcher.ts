/**
 * Many small writes in few commands. What comes while nothing is under way goes at the end of the same turn of the event
 * loop, together with whatever else came in it; what comes while a command is under way waits for its end, or for
 * `longest`, whichever is sooner, and goes in one command. So a lone one waits for nobody, and under load each command
 * carries as many as have come during the one before it: fewer commands, fewer system calls, fewer fsyncs.
 */
export interface WriteBatcherOptions<Item, Answer> {
  /** Items of one command, at most. */
  most: number;
  /** Bytes of one command, at most, unless a single item has more. */
  bytes: number;
  /** Ms that an item waits for a command under way. */
  longest: number;
  sizeOf(item: Item): number;
  /** One command. As many answers as items and in their order; rejects when all of them failed. */
  run(items: Item[]): Promise<(Answer | Error)[]>;
}

interface Waiting<Item, Answer> {
  item: Item;
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

export class WriteBatcher<Item, Answer extends string | number | object> {
  readonly #options: WriteBatcherOptions<Item, Answer>;
  #waiting: Waiting<Item, Answer>[] = [];
  #bytes = 0;
  #underWay = 0;
  #timer: NodeJS.Timeout | undefined;
  #turn: NodeJS.Immediate | undefined;

  constructor(options: WriteBatcherOptions<Item, Answer>) {
    this.#options = options;
  }

  /** @throws Error of this item, or of the command that it went in */
  add(item: Item): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const size = this.#options.sizeOf(item);
      // Never more in one command than its limit: what has gathered goes first.
      if (this.#waiting.length > 0 && this.#bytes + size > this.#options.bytes) this.#go();
      this.#waiting.push({ item, resolve, reject });
      this.#bytes += size;
      if (this.#waiting.length >= this.#options.most || this.#bytes >= this.#options.bytes) this.#go();
      else if (this.#underWay === 0) this.#turn ??= setImmediate(() => this.#go());
      else this.#timer ??= setTimeout(() => this.#go(), this.#options.longest);
    });
  }

  #go(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#turn);
    this.#timer = undefined;
    this.#turn = undefined;
    if (this.#waiting.length === 0) return;
    const together = this.#waiting;
    this.#waiting = [];
    this.#bytes = 0;
    this.#underWay += 1;
    void this.#run(together).finally(() => {
      this.#underWay -= 1;
      if (this.#underWay === 0) this.#go();
    });
  }

  async #run(together: Waiting<Item, Answer>[]): Promise<void> {
    try {
      const answers = await this.#options.run(together.map(({ item }) => item));
      together.forEach(({ resolve, reject }, index) => {
        const answer = answers[index];
        if (answer === undefined) reject(new Error('No answer came for this one'));
        else if (answer instanceof Error) reject(answer);
        else resolve(answer);
      });
    } catch (error) {
      for (const { reject } of together) reject(error as Error);
    }
  }
}
