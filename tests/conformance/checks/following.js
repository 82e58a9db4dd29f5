import assert from 'node:assert/strict';
import { areThese, ascend, idsOf, isDeleted, revisionsOf } from '../expect.js';
import { BACKWARDS, END, NO_STREAM, START } from '../store.js';

export const title = 'following';

async function streamOf(store, count) {
  const [stream, events] = [store.stream(), store.events(count)];
  await store.append(stream, events, NO_STREAM);
  return { stream, events };
}

async function lastPosition(store) {
  const [last] = await store.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 1 });
  return last.position;
}

const only = (stream, events) => events.filter((event) => event.streamId === stream);

const streams = {
  'a stream from its start, and what comes': async (store) => {
    const { stream, events } = await streamOf(store, 50);
    const follower = store.follow(stream, START);
    await follower.caughtUp();
    await follower.delivered(50);
    const more = store.events(50);
    await store.append(stream, more, 49n);
    await follower.delivered(100);
    await follower.stop();
    areThese(follower.events, [...events, ...more]);
    assert.equal(follower.timesCaughtUp, 1);
  },

  'a stream from after a revision': async (store) => {
    const { stream, events } = await streamOf(store, 10);
    const follower = store.follow(stream, 3n);
    await follower.caughtUp();
    await follower.delivered(6);
    await follower.stop();
    areThese(follower.events, events.slice(4), 4n);
  },

  'a stream from its end': async (store) => {
    const { stream } = await streamOf(store, 10);
    const follower = store.follow(stream, END);
    await follower.caughtUp();
    const more = store.events(3);
    await store.append(stream, more, 9n);
    await follower.delivered(3);
    await follower.stop();
    areThese(follower.events, more, 10n);
  },

  'a stream that does not exist yet': async (store) => {
    const [stream, events] = [store.stream(), store.events(3)];
    const follower = store.follow(stream, START);
    await follower.confirmed();
    for (const event of events) await store.append(stream, event);
    await follower.delivered(3);
    await follower.stop();
    areThese(follower.events, events);
  },

  'a stream that is deleted and created anew': async (store) => {
    const { stream, events } = await streamOf(store, 2);
    const follower = store.follow(stream, START);
    await follower.caughtUp();
    await store.delete(stream);
    const more = store.events(2);
    await store.append(stream, more, NO_STREAM);
    await follower.delivered(4);
    await follower.stop();
    areThese(follower.events, [...events, ...more]);
  },

  'a stream until it is tombstoned': async (store) => {
    const { stream, events } = await streamOf(store, 3);
    const follower = store.follow(stream, START);
    await follower.caughtUp();
    await store.tombstone(stream);
    await isDeleted(store, Promise.reject(await follower.failure()), stream);
    areThese(follower.events.slice(0, 3), events);
    assert.deepEqual(follower.events.slice(3).map(({ type }) => type), ['$streamDeleted']);
  },

  'a stream that was tombstoned, in vain': async (store) => {
    const { stream } = await streamOf(store, 1);
    await store.tombstone(stream);
    await isDeleted(store, Promise.reject(await store.follow(stream, START).failure()), stream);
  },

  'a stream by several, each on its own': async (store) => {
    const { stream, events } = await streamOf(store, 5);
    const followers = [START, 1n, END].map((from) => store.follow(stream, from));
    await Promise.all(followers.map((follower) => follower.caughtUp()));
    const last = store.json();
    await store.append(stream, last, 4n);
    await Promise.all(followers.map((follower) => follower.reached(last)));
    await Promise.all(followers.map((follower) => follower.stop()));
    const seen = followers.map((follower) => revisionsOf(follower.events).map(Number));
    assert.deepEqual(seen, [[0, 1, 2, 3, 4, 5], [2, 3, 4, 5], [5]]);
    assert.equal(events.length, 5);
  },

  'no longer, once stopped': async (store) => {
    const { stream, events } = await streamOf(store, 3);
    const [stopped, witness] = [store.follow(stream, START), store.follow(stream, START)];
    await Promise.all([stopped.delivered(3), witness.delivered(3)]);
    await stopped.stop();
    const last = store.json();
    await store.append(stream, last, 2n);
    await witness.reached(last);
    await witness.stop();
    areThese(stopped.events, events);
    assert.equal(stopped.error, undefined);
  },
};

const log = {
  'the log from its start': async (store) => {
    await streamOf(store, 100);
    const first = await store.readAll({ fromPosition: START, maxCount: 100 });
    const follower = store.followAll({ fromPosition: START });
    await follower.delivered(100);
    await follower.stop();
    assert.deepEqual(idsOf(follower.events.slice(0, 100)), idsOf(first));
  },

  'the log from after a position, and what comes': async (store) => {
    const { stream, events } = await streamOf(store, 5);
    const recorded = await store.read(stream);
    const follower = store.followAll({ fromPosition: recorded[1].position });
    await follower.caughtUp();
    await follower.reached(events[4]);
    const next = store.json();
    await store.append(stream, next, 4n);
    await follower.reached(next);
    await follower.stop();
    areThese(only(stream, follower.events), [...events.slice(2), next], 2n);
    ascend(follower.events);
    assert.ok(follower.events.every((event) => event.position.commit > recorded[1].position.commit));
  },

  'the log from its end': async (store) => {
    const { stream } = await streamOf(store, 3);
    const before = await lastPosition(store);
    const follower = store.followAll({ fromPosition: END });
    await follower.caughtUp();
    const more = store.events(3);
    await store.append(stream, more, 2n);
    await follower.reached(more[2]);
    await follower.stop();
    areThese(only(stream, follower.events), more, 3n);
    assert.ok(follower.events.every((event) => event.position.commit > before.commit));
  },

  'the log, again from wherever it was left': async (store) => {
    const { stream, events } = await streamOf(store, 30);
    const [first] = await store.read(stream, { maxCount: 1 });
    const seen = [];
    for (let from = first.position, left = 4; left > 0; left--) {
      const follower = store.followAll({ fromPosition: from });
      const wanted = events[events.length - 1 - 7 * (left - 1)];
      await follower.reached(wanted);
      await follower.stop();
      const upTo = follower.events.findIndex(({ id }) => id === wanted.id);
      seen.push(...follower.events.slice(0, upTo + 1));
      from = follower.events[upTo].position;
    }
    assert.deepEqual(idsOf(only(stream, seen)), idsOf(events.slice(1)));
    ascend(seen);
  },
};

export const checks = { ...streams, ...log };
