// One face for both official clients, so that each check exists once. Where the packages differ, and only there, the
// difference is a row of the table below.
import { randomUUID } from 'node:crypto';
import { Follower } from './follower.js';

const DIALECTS = {
  '@eventstore/db-client': {
    client: 'EventStoreDBClient',
    scheme: 'esdb',
    expectation: 'expectedRevision',
    lacks: ['filtered reads'],
    versions: (conflict) => [conflict.expectedVersion, conflict.actualVersion],
  },
  '@kurrent/kurrentdb-client': {
    client: 'KurrentDBClient',
    scheme: 'kurrentdb',
    expectation: 'streamState',
    // It reads from the start forwards and from the end backwards, whatever it is told.
    lacks: ['reads backwards from the start', 'tombstones of what exists'],
    versions: (conflict) => [conflict.expectedState, conflict.actualState],
  },
};

export const PACKAGES = Object.keys(DIALECTS);

// The words of both packages for what a stream is expected to be, and for where and how it is read.
export const [ANY, NO_STREAM, STREAM_EXISTS] = ['any', 'no_stream', 'stream_exists'];
export const [START, END] = ['start', 'end'];
export const [FORWARDS, BACKWARDS] = ['forwards', 'backwards'];

const ADDRESS = /^(?<scheme>\w+).*?:\/\/((?<user>[^:@/]*):(?<password>[^@]*)@)?(?<host>[^/?]+)\/?(\?(?<query>.*))?$/;

const RUN = randomUUID().slice(0, 8);
let streams = 0;

/** A store behind one of the official clients. */
export class Store {
  #address;
  #dialect;
  #credentials;

  static async open(name, address) {
    return new Store(await import(name), DIALECTS[name], address);
  }

  constructor({ default: library }, dialect, address) {
    this.library = library;
    this.#dialect = dialect;
    this.#address = address;
    // Where the address names nobody, these are sent to nobody: without TLS the clients keep them to themselves.
    const { user = 'admin', password = 'changeit' } = ADDRESS.exec(address)?.groups ?? {};
    this.#credentials = { username: decodeURIComponent(user), password: decodeURIComponent(password) };
    this.client = library[dialect.client].connectionString(address.replace(/^\w+/, dialect.scheme));
  }

  /** Some checks ask for what one of the clients has no way to say. */
  can(feature) {
    return !this.#dialect.lacks.includes(feature);
  }

  /**
   * The same client, connected in another way: to another address, by discovery, by other hosts, with other keys in the
   * address (undefined takes one away), as another user (an empty one is nobody).
   */
  reconnected({ address = this.#address, discover = false, hosts = (host) => host, keys = {}, user, password } = {}) {
    const url = ADDRESS.exec(address).groups;
    const parameters = { ...Object.fromEntries(new URLSearchParams(url.query)), ...keys };
    const query = Object.entries(parameters).filter(([, value]) => value !== undefined)
      .map((parameter) => parameter.join('=')).join('&');
    const person = [user ?? url.user, password ?? url.password];
    const credentials = person[0] ? `${person.join(':')}@` : '';
    const scheme = url.scheme + (discover ? '+discover' : '');
    return new Store({ default: this.library }, this.#dialect, `${scheme}://${credentials}${hosts(url.host)}?${query}`);
  }

  /** The name of a stream that no other check uses. */
  stream(what = 'stream') {
    return `conformance-${RUN}-${++streams}-${what}`;
  }

  json({ type = 'noted', data = {}, ...rest } = {}) {
    return this.library.jsonEvent({ type, data, ...rest });
  }

  binary({ type = 'scanned', ...rest }) {
    return this.library.binaryEvent({ type, ...rest });
  }

  /** So many events, numbered in their bodies from zero. */
  events(count, type = 'noted') {
    return Array.from({ length: count }, (_, n) => this.json({ type, data: { n } }));
  }

  /**
   * Appends in the duplex call that all appends share, as the clients prefer; or, with `alone`, in a call of its own,
   * which is what they do for appends that bring their own credentials.
   */
  append(stream, events, expected = ANY, { alone = false } = {}) {
    const options = { [this.#dialect.expectation]: expected, ...(alone && { credentials: this.#credentials }) };
    return this.client.appendToStream(stream, events, options);
  }

  async read(stream, options) {
    return collect(this.client.readStream(stream, options));
  }

  async readAll(options) {
    return collect(this.client.readAll(options));
  }

  delete(stream, expectedRevision = ANY) {
    return this.client.deleteStream(stream, { expectedRevision });
  }

  tombstone(stream, expectedRevision = ANY) {
    return this.client.tombstoneStream(stream, { expectedRevision });
  }

  async metadata(stream) {
    return (await this.client.getStreamMetadata(stream)).metadata;
  }

  setMetadata(stream, metadata, expected = ANY) {
    return this.client.setStreamMetadata(stream, metadata, { [this.#dialect.expectation]: expected });
  }

  follow(stream, fromRevision = START) {
    return new Follower(() => this.client.subscribeToStream(stream, { fromRevision }));
  }

  followAll({ filter, ...options } = {}) {
    return new Follower((checkpointReached) =>
      this.client.subscribeToAll({ ...options, ...(filter && { filter: { ...filter, checkpointReached } }) }));
  }

  byStream(expression) {
    return this.library.streamNameFilter(expression);
  }

  byType(expression) {
    return this.library.eventTypeFilter(expression);
  }

  /** What a conflict says was expected, and what was found. */
  versions(conflict) {
    return this.#dialect.versions(conflict);
  }

  dispose() {
    return this.client.dispose();
  }
}

async function collect(read) {
  const events = [];
  for await (const resolved of read) events.push(resolved.event);
  return events;
}
