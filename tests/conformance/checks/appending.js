import assert from 'node:assert/strict';
import { areThese, conflicts, isMissing } from '../expect.js';
import { onEachRoute } from '../routes.js';
import { ANY, NO_STREAM, STREAM_EXISTS } from '../store.js';

export const title = 'appending';

export const checks = onEachRoute({
  'no stream is what a new stream meets': async (store, append) => {
    const [stream, [event]] = [store.stream(), store.events(1)];
    const result = await append(stream, event, NO_STREAM);
    assert.equal(result.success, true);
    assert.equal(result.nextExpectedRevision, 0n);
    areThese(await store.read(stream), [event]);
  },

  'no stream is not what an existing stream meets': async (store, append) => {
    const stream = store.stream();
    await append(stream, store.events(2), NO_STREAM);
    await conflicts(store, append(stream, store.events(1), NO_STREAM), stream, NO_STREAM, 1n);
  },

  'any is met by a new stream and by an existing one': async (store, append) => {
    const [stream, [first, second]] = [store.stream(), store.events(2)];
    assert.equal((await append(stream, first, ANY)).nextExpectedRevision, 0n);
    assert.equal((await append(stream, second, ANY)).nextExpectedRevision, 1n);
    areThese(await store.read(stream), [first, second]);
  },

  'stream exists is what an existing stream meets': async (store, append) => {
    const stream = store.stream();
    await append(stream, store.events(1), NO_STREAM);
    assert.equal((await append(stream, store.events(1), STREAM_EXISTS)).nextExpectedRevision, 1n);
  },

  'stream exists is not what a new stream meets': async (store, append) => {
    const stream = store.stream();
    await conflicts(store, append(stream, store.events(1), STREAM_EXISTS), stream, STREAM_EXISTS, NO_STREAM);
  },

  'a stream that has only metadata exists': async (store, append) => {
    const stream = store.stream();
    await store.setMetadata(stream, { purpose: 'none yet' });
    assert.equal((await append(stream, store.events(1), STREAM_EXISTS)).nextExpectedRevision, 0n);
  },

  'a revision is met by the last event of the stream': async (store, append) => {
    const [stream, events] = [store.stream(), store.events(3)];
    await append(stream, events.slice(0, 2), NO_STREAM);
    assert.equal((await append(stream, events[2], 1n)).nextExpectedRevision, 2n);
    areThese(await store.read(stream), events);
  },

  'a revision that the stream has passed is a conflict': async (store, append) => {
    const stream = store.stream();
    await append(stream, store.events(3), NO_STREAM);
    await conflicts(store, append(stream, store.events(1), 0n), stream, 0n, 2n);
  },

  'a revision that the stream has not reached is a conflict': async (store, append) => {
    const stream = store.stream();
    await append(stream, store.events(1), NO_STREAM);
    await conflicts(store, append(stream, store.events(1), 5n), stream, 5n, 0n);
  },

  'a revision of a stream that does not exist is a conflict': async (store, append) => {
    const stream = store.stream();
    await conflicts(store, append(stream, store.events(1), 0n), stream, 0n, NO_STREAM);
    await isMissing(store, store.read(stream), stream);
  },

  'several events are appended together or not at all': async (store, append) => {
    const [stream, events] = [store.stream(), store.events(5)];
    assert.equal((await append(stream, events, NO_STREAM)).nextExpectedRevision, 4n);
    await conflicts(store, append(stream, store.events(3), 2n), stream, 2n, 4n);
    areThese(await store.read(stream), events);
  },

  'the position of an append is the position of its last event': async (store, append) => {
    const stream = store.stream();
    const first = await append(stream, store.events(3), NO_STREAM);
    const second = await append(stream, store.events(1), 2n);
    const recorded = await store.read(stream);
    assert.deepEqual(recorded[2].position, first.position);
    assert.deepEqual(recorded[3].position, second.position);
    assert.ok(second.position.commit > first.position.commit);
  },

  'nothing can be appended to a new stream, which stays missing': async (store, append) => {
    const stream = store.stream();
    for (const expected of [ANY, NO_STREAM]) assert.equal((await append(stream, [], expected)).success, true);
    await isMissing(store, store.read(stream), stream);
  },

  'nothing can be appended to an existing stream, which stays as it is': async (store, append) => {
    const [stream, events] = [store.stream(), store.events(3)];
    await append(stream, events, NO_STREAM);
    assert.equal((await append(stream, [], 2n)).nextExpectedRevision, 2n);
    areThese(await store.read(stream), events);
  },

  'even nothing conflicts with a stream that is further': async (store, append) => {
    const stream = store.stream();
    await append(stream, store.events(3), NO_STREAM);
    await conflicts(store, append(stream, [], 1n), stream, 1n, 2n);
    await conflicts(store, append(stream, [], NO_STREAM), stream, NO_STREAM, 2n);
  },
});
