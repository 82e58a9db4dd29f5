import assert from 'node:assert/strict';
import { refused } from '../expect.js';
import { END, NO_STREAM, START } from '../store.js';

export const title = 'when the local event log ends';
export const needs = ['CAPA_TEST_EVENTLOG_PROCESS'];
export const last = true;

const [CANCELLED, UNAVAILABLE] = [1, 14];

export const checks = {
  'subscriptions fail instead of falling silent, and appends are refused': async (store, endEventLog) => {
    const [stream, events] = [store.stream(), store.events(3)];
    await store.append(stream, events, NO_STREAM);
    const followers = [
      store.follow(stream, START),
      store.followAll({ fromPosition: END }),
      store.followAll({ fromPosition: END, filter: store.byStream({ prefixes: [stream] }) }),
    ];
    await Promise.all(followers.map((follower) => follower.caughtUp()));
    await endEventLog();
    for (const follower of followers) {
      const error = await follower.failure();
      assert.ok([CANCELLED, UNAVAILABLE].includes(error.code), error.message);
    }
    assert.equal((await refused(store.append(stream, store.json()), Error)).code, UNAVAILABLE);
  },
};
