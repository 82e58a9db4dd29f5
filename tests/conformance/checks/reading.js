import assert from 'node:assert/strict';
import { areThese, ascend, idsOf, isMissing, revisionsOf } from '../expect.js';
import { BACKWARDS, END, FORWARDS, NO_STREAM, START } from '../store.js';

export const title = 'reading';

async function streamOf(store, count) {
  const [stream, events] = [store.stream(), store.events(count)];
  await store.append(stream, events, NO_STREAM);
  return { stream, events };
}

/** Events of two streams in turn, as they lie in the log. */
async function twoStreams(store) {
  const [one, other, events] = [store.stream('one'), store.stream('other'), store.events(6)];
  await Promise.all(events.map((event, n) => store.append(n % 2 ? other : one, event)));
  const recorded = [...await store.read(one), ...await store.read(other)];
  recorded.sort((a, b) => (a.position.commit < b.position.commit ? -1 : 1));
  areThese(recorded.filter((event) => event.streamId === one), events.filter((_, n) => n % 2 === 0));
  return { streams: [one, other], recorded };
}

const only = (streams, events) => events.filter((event) => streams.includes(event.streamId));

const fromTheStart = {
  'a stream is read backwards from its start, which is one event': async (store) => {
    const { stream, events } = await streamOf(store, 3);
    areThese(await store.read(stream, { direction: BACKWARDS, fromRevision: START }), events.slice(0, 1));
  },

  'all streams are read backwards from the start, which is nothing': async (store) => {
    await streamOf(store, 1);
    assert.deepEqual(await store.readAll({ direction: BACKWARDS, fromPosition: START }), []);
  },
};

export const checks = (store) => ({
  'a stream is read forwards from its start or a revision': async (store) => {
    const { stream, events } = await streamOf(store, 7);
    areThese(await store.read(stream), events);
    areThese(await store.read(stream, { fromRevision: START, direction: FORWARDS }), events);
    areThese(await store.read(stream, { fromRevision: 3n }), events.slice(3), 3n);
  },

  'a stream is read backwards from its end or a revision': async (store) => {
    const { stream } = await streamOf(store, 7);
    const backwards = async (fromRevision) =>
      revisionsOf(await store.read(stream, { direction: BACKWARDS, fromRevision }));
    assert.deepEqual(await backwards(END), [6n, 5n, 4n, 3n, 2n, 1n, 0n]);
    assert.deepEqual(await backwards(3n), [3n, 2n, 1n, 0n]);
  },

  'a read ends after so many events': async (store) => {
    const { stream } = await streamOf(store, 7);
    const revisions = async (options) => revisionsOf(await store.read(stream, options));
    assert.deepEqual(await revisions({ maxCount: 2 }), [0n, 1n]);
    assert.deepEqual(await revisions({ maxCount: 2, fromRevision: 6n }), [6n]);
    assert.deepEqual(await revisions({ maxCount: 1, direction: BACKWARDS, fromRevision: END }), [6n]);
    assert.deepEqual(await revisions({ maxCount: 3, direction: BACKWARDS, fromRevision: 4n }), [4n, 3n, 2n]);
    assert.deepEqual((await revisions({ maxCount: 100 })).length, 7);
  },

  'beyond the last event there is nothing forwards, and everything backwards': async (store) => {
    const { stream } = await streamOf(store, 3);
    assert.deepEqual(await store.read(stream, { fromRevision: 3n }), []);
    assert.deepEqual(await store.read(stream, { fromRevision: 1_000n }), []);
    const backwards = await store.read(stream, { direction: BACKWARDS, fromRevision: 10n });
    assert.deepEqual(revisionsOf(backwards), [2n, 1n, 0n]);
  },

  'a long stream comes whole and in order': async (store) => {
    const { stream, events } = await streamOf(store, 1_500);
    const forwards = await store.read(stream);
    areThese(forwards, events);
    ascend(forwards);
    const backwards = await store.read(stream, { direction: BACKWARDS, fromRevision: END });
    assert.deepEqual(idsOf(backwards), idsOf(events).reverse());
  },

  'a stream that never was is missing, however it is read': async (store) => {
    const stream = store.stream();
    await isMissing(store, store.read(stream), stream);
    await isMissing(store, store.read(stream, { fromRevision: 5n }), stream);
    await isMissing(store, store.read(stream, { direction: BACKWARDS, fromRevision: END, maxCount: 1 }), stream);
  },

  'all streams are read forwards from a position, with the event there': async (store) => {
    const { streams, recorded } = await twoStreams(store);
    const read = await store.readAll({ fromPosition: recorded[0].position });
    assert.equal(read[0].id, recorded[0].id);
    assert.deepEqual(only(streams, read), recorded);
    ascend(read);
    const fromThird = await store.readAll({ fromPosition: recorded[2].position });
    assert.deepEqual(only(streams, fromThird), recorded.slice(2));
  },

  'all streams are read backwards from a position, without the event there': async (store) => {
    const { streams, recorded } = await twoStreams(store);
    const options = { direction: BACKWARDS, maxCount: 1_000 };
    const before = await store.readAll({ ...options, fromPosition: recorded[3].position });
    assert.deepEqual(only(streams, before), recorded.slice(0, 3).reverse());
    ascend(before.reverse());
  },

  'all streams are read backwards from the end': async (store) => {
    const { streams, recorded } = await twoStreams(store);
    const read = await store.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 1_000 });
    assert.deepEqual(only(streams, read), [...recorded].reverse());
    ascend(read.reverse());
  },

  'all streams are read forwards from the start': async (store) => {
    await streamOf(store, 10);
    const first = await store.readAll({ fromPosition: START, maxCount: 10 });
    assert.equal(first.length, 10);
    ascend(first);
    assert.deepEqual(await store.readAll({ maxCount: 10 }), first);
    assert.deepEqual(await store.readAll({ direction: BACKWARDS, fromPosition: first[0].position }), []);
  },

  ...(store.can('reads backwards from the start') ? fromTheStart : {}),
});
