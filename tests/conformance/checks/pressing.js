import assert from 'node:assert/strict';
import { areThese, ascend, idsOf } from '../expect.js';
import { ANY, NO_STREAM } from '../store.js';

export const title = 'pressing';

const IN_FLIGHT = 2_000;
const ABORTED = 10;
const ALSO_FAILED = { evenIfFailed: true };

/** So many events of a subscription, which servers before 24.2 end when it is too slow for them. */
async function followed(store, { filter, fromPosition }, count) {
  const seen = [];
  while (seen.length < count) {
    const follower = store.followAll({ filter, fromPosition: seen[seen.length - 1]?.position ?? fromPosition });
    const wanted = count - seen.length;
    await follower.until('delivered or failed', () => follower.events.length >= wanted || follower.error, ALSO_FAILED);
    if (follower.error) assert.equal(follower.error.code, ABORTED, follower.error.message);
    await follower.stop();
    seen.push(...follower.events);
  }
  return seen;
}

export const checks = {
  'each of 2,000 appends in flight is acknowledged once, in the order in which they were sent': async (store) => {
    const [stream, events] = [store.stream(), store.events(IN_FLIGHT)];
    const results = await Promise.all(events.map((event) => store.append(stream, event, ANY)));
    assert.deepEqual(results.map(({ nextExpectedRevision }) => nextExpectedRevision), events.map((_, n) => BigInt(n)));
    const recorded = await store.read(stream);
    areThese(recorded, events);
    assert.deepEqual(recorded.map(({ position }) => position), results.map(({ position }) => position));
  },

  'appends in flight may each expect the revision of the one before': async (store) => {
    const [stream, events] = [store.stream(), store.events(500)];
    await Promise.all(events.map((event, n) => store.append(stream, event, n === 0 ? NO_STREAM : BigInt(n - 1))));
    areThese(await store.read(stream), events);
  },

  'a subscription sees all of it, once and in order': async (store) => {
    const streams = Array.from({ length: 20 }, (_, n) => store.stream(`lane-${n}`));
    const filter = store.byStream({ prefixes: streams });
    const events = store.events(IN_FLIGHT);
    const { position } = await store.append(store.stream(), store.json());
    const writing = Promise.all(events.map((event, n) => store.append(streams[n % streams.length], event, ANY)));
    const seen = await followed(store, { filter, fromPosition: position }, IN_FLIGHT);
    await writing;
    ascend(seen);
    assert.deepEqual(idsOf(seen).sort(), idsOf(events).sort());
    for (const [n, stream] of streams.entries()) {
      const own = seen.filter((event) => event.streamId === stream);
      areThese(own, events.filter((_, index) => index % streams.length === n));
    }
  },

  'of 50 writers that expect the same revision one is first': async (store) => {
    const stream = store.stream();
    await store.append(stream, store.events(1), NO_STREAM);
    const attempts = await Promise.allSettled(
      Array.from({ length: 50 }, (_, n) => store.append(stream, store.json(), 0n, { alone: n % 2 === 0 })));
    const refusals = attempts.filter(({ status }) => status === 'rejected').map(({ reason }) => reason);
    assert.equal(refusals.length, 49);
    assert.ok(refusals.every((reason) => reason instanceof store.library.WrongExpectedVersionError));
    assert.equal((await store.read(stream)).length, 2);
  },
};
