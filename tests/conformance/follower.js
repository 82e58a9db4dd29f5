import { EventEmitter, once } from 'node:events';

const PATIENCE_MS = 10_000;

/** A subscription of which everything it says is kept, and can be waited for. */
export class Follower {
  events = [];
  checkpoints = [];
  isConfirmed = false;
  timesCaughtUp = 0;
  error = undefined;

  #ids = new Set();
  #changes = new EventEmitter();
  #subscription;

  constructor(subscribe) {
    this.#subscription = subscribe((_, position) => this.#changed(() => this.checkpoints.push(position)));
    this.#subscription
      .on('data', ({ event }) => this.#changed(() => this.#ids.add(event.id) && this.events.push(event)))
      .on('confirmation', () => this.#changed(() => (this.isConfirmed = true)))
      .on('caughtUp', () => this.#changed(() => this.timesCaughtUp++))
      .on('error', (error) => this.#changed(() => (this.error = error)));
  }

  /** Waits until the server has accepted the subscription. */
  confirmed() {
    return this.until('been confirmed', () => this.isConfirmed);
  }

  /** Waits until the subscription is live. */
  caughtUp() {
    return this.until('caught up', () => this.timesCaughtUp > 0);
  }

  /** Waits until it has delivered so many events. */
  delivered(count) {
    return this.until(`delivered ${count} events`, () => this.events.length >= count);
  }

  /** Waits until it has delivered an event of this id, and with it all that came before. */
  reached(event) {
    return this.until(`delivered ${event.id}`, () => this.#ids.has(event.id));
  }

  /** The error with which it ends. */
  async failure() {
    await this.until('failed', () => this.error, { evenIfFailed: true });
    return this.error;
  }

  async until(what, condition, { evenIfFailed = false } = {}) {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    while (!condition()) {
      if (this.error && !evenIfFailed) throw this.error;
      try {
        await once(this.#changes, 'change', { signal });
      } catch (timeout) {
        const had = `${this.events.length} events, ${this.checkpoints.length} checkpoints`;
        throw new Error(`The subscription has not ${what} after ${PATIENCE_MS} ms: ${had}.`, { cause: timeout });
      }
    }
  }

  stop() {
    return this.#subscription.unsubscribe();
  }

  #changed(change) {
    change();
    this.#changes.emit('change');
  }
}
