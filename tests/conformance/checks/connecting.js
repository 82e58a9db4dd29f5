import assert from 'node:assert/strict';
import { areThese, conflicts, isMissing } from '../expect.js';
import { NO_STREAM, START } from '../store.js';

export const title = 'connecting';

/** Writes, reads and follows over a connection of its own. */
async function works(store, way) {
  const connection = store.reconnected(way);
  try {
    const [stream, events] = [connection.stream(), connection.events(3)];
    const follower = connection.follow(stream, START);
    await connection.append(stream, events, NO_STREAM);
    await follower.delivered(3);
    await follower.stop();
    areThese(await connection.read(stream), events);
    areThese(await store.read(stream), events);
    await conflicts(connection, connection.append(stream, store.json(), 7n), stream, 7n, 2n);
  } finally {
    await connection.dispose();
  }
}

export const checks = {
  'by discovery': (store) => works(store, { discover: true }),

  'by gossip among several hosts': (store) => works(store, { hosts: (host) => `${host},${host}` }),

  'for a follower, as a cluster of one has none': (store) =>
    works(store, { discover: true, keys: { nodePreference: 'follower' } }),

  'a conflict can be an answer instead of an error': async (store) => {
    const connection = store.reconnected({ keys: { throwOnAppendFailure: 'false' } });
    const stream = connection.stream();
    for (const alone of [false, true]) {
      const { success } = await connection.append(stream, connection.json(), 3n, { alone });
      assert.equal(success, false);
    }
    await connection.dispose();
    await isMissing(store, store.read(stream), stream);
  },
};
