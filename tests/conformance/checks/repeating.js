import assert from 'node:assert/strict';
import { areThese, conflicts, idsOf } from '../expect.js';
import { onEachRoute } from '../routes.js';
import { ANY, NO_STREAM, STREAM_EXISTS } from '../store.js';

export const title = 'repeating an append';

/** A stream that begins with these events, and goes on with others. */
async function streamOf(store, append, events, followers = 0) {
  const stream = store.stream();
  const result = await append(stream, events, NO_STREAM);
  if (followers > 0) await append(stream, store.events(followers), BigInt(events.length - 1));
  return { stream, result, length: events.length + followers };
}

export const checks = onEachRoute({
  'a repeat is answered as the first time and writes nothing': async (store, append) => {
    const events = store.events(3);
    const { stream, result } = await streamOf(store, append, events);
    assert.deepEqual(await append(stream, events, NO_STREAM), result);
    areThese(await store.read(stream), events);
  },

  'a revision finds a repeat long after': async (store, append) => {
    const [first, ...rest] = store.events(4);
    const { stream } = await streamOf(store, append, [first]);
    const result = await append(stream, rest, 0n);
    await append(stream, store.events(400), 3n);
    assert.deepEqual(await append(stream, rest, 0n), result);
    assert.equal((await store.read(stream)).length, 404);
  },

  'any finds the repeat of one event': async (store, append) => {
    const [event] = store.events(1);
    const { stream, length } = await streamOf(store, append, [event], 5);
    assert.equal((await append(stream, event, ANY)).nextExpectedRevision, 0n);
    assert.equal((await store.read(stream)).length, length);
  },

  'any and stream exists find the repeat of several events': async (store, append) => {
    const events = store.events(3);
    const { stream, length } = await streamOf(store, append, events, 5);
    for (const expected of [ANY, STREAM_EXISTS]) {
      assert.equal((await append(stream, events, expected)).nextExpectedRevision, 2n);
    }
    assert.equal((await store.read(stream)).length, length);
  },

  'the first part of an append is a repeat': async (store, append) => {
    const events = store.events(4);
    const { stream, length } = await streamOf(store, append, events, 2);
    for (const expected of [NO_STREAM, ANY]) {
      assert.equal((await append(stream, events.slice(0, 2), expected)).nextExpectedRevision, 1n);
    }
    assert.equal((await store.read(stream)).length, length);
  },

  'the middle and the last part are repeats, after what they followed': async (store, append) => {
    const events = store.events(4);
    const { stream, length } = await streamOf(store, append, events, 2);
    assert.equal((await append(stream, events.slice(1, 3), 0n)).nextExpectedRevision, 2n);
    assert.equal((await append(stream, events.slice(2), 1n)).nextExpectedRevision, 3n);
    assert.equal((await store.read(stream)).length, length);
  },

  'a repeat across two appends is one': async (store, append) => {
    const [stream, events] = [store.stream(), store.events(4)];
    await append(stream, events.slice(0, 2), NO_STREAM);
    await append(stream, events.slice(2), 1n);
    assert.equal((await append(stream, events, NO_STREAM)).nextExpectedRevision, 3n);
    areThese(await store.read(stream), events);
  },

  'a repeat with something new at its end is a conflict': async (store, append) => {
    const events = store.events(3);
    const { stream } = await streamOf(store, append, events);
    const longer = [...events, store.json()];
    await conflicts(store, append(stream, longer, NO_STREAM), stream, NO_STREAM, 2n);
    await conflicts(store, append(stream, longer, ANY), stream, ANY, 2n);
    areThese(await store.read(stream), events);
  },

  'a repeat in another order is a conflict': async (store, append) => {
    const events = store.events(2);
    const { stream } = await streamOf(store, append, events);
    await conflicts(store, append(stream, [events[1], events[0]], NO_STREAM), stream, NO_STREAM, 1n);
  },

  'a repeat after something else than the first time is a conflict': async (store, append) => {
    const events = store.events(3);
    const { stream } = await streamOf(store, append, events, 2);
    await conflicts(store, append(stream, events[0], 0n), stream, 0n, 4n);
    await conflicts(store, append(stream, events[2], NO_STREAM), stream, NO_STREAM, 4n);
  },

  'with any, what begins with something new is new': async (store, append) => {
    const [event] = store.events(1);
    const { stream } = await streamOf(store, append, [event]);
    const other = store.json();
    assert.equal((await append(stream, [other, event], ANY)).nextExpectedRevision, 2n);
    assert.deepEqual(idsOf(await store.read(stream)), idsOf([event, other, event]));
  },

  'the body is not compared, and the first one stays': async (store, append) => {
    const event = store.json({ data: { value: 1 } });
    const { stream } = await streamOf(store, append, [event]);
    const changed = store.json({ id: event.id, type: 'changed', data: { value: 2 } });
    assert.equal((await append(stream, changed, NO_STREAM)).nextExpectedRevision, 0n);
    const [recorded] = await store.read(stream);
    assert.deepEqual([recorded.type, recorded.data], ['noted', { value: 1 }]);
  },

  'an id of another stream is no repeat': async (store, append) => {
    const event = store.json();
    await streamOf(store, append, [event]);
    const { stream } = await streamOf(store, append, [event]);
    areThese(await store.read(stream), [event]);
  },
});
