import assert from 'node:assert/strict';
import { areThese, conflicts, eventually, isMissing, revisionsOf } from '../expect.js';
import { BACKWARDS, END, NO_STREAM } from '../store.js';

export const title = 'metadata';

async function streamOf(store, count) {
  const [stream, events] = [store.stream(), store.events(count)];
  await store.append(stream, events, NO_STREAM);
  return { stream, events };
}

async function shows(store, stream, revisions) {
  const backwards = { direction: BACKWARDS, fromRevision: END };
  assert.deepEqual(revisionsOf(await store.read(stream)), revisions);
  assert.deepEqual(revisionsOf(await store.read(stream, backwards)), [...revisions].reverse());
}

export const checks = {
  'a stream has none at first': async (store) => {
    const { stream } = await streamOf(store, 1);
    assert.equal(await store.metadata(stream), undefined);
    assert.equal(await store.metadata(store.stream()), undefined);
  },

  'all of it comes back as it was': async (store) => {
    const { stream } = await streamOf(store, 1);
    const metadata = {
      maxAge: 86_400,
      maxCount: 1_000,
      truncateBefore: 0,
      cacheControl: 60,
      acl: {
        readRoles: ['quality-engineer', 'analyst'],
        writeRoles: 'quality-engineer',
        deleteRoles: '$admins',
        metaReadRoles: ['$all'],
        metaWriteRoles: [],
      },
      owner: 'Prüffeld 測定',
      retention: { years: 10, reasons: ['audit', null, 1.5] },
    };
    await store.setMetadata(stream, metadata);
    assert.deepEqual(await store.metadata(stream), metadata);
  },

  'it can be there before the stream, which stays missing': async (store) => {
    const stream = store.stream();
    await store.setMetadata(stream, { owner: 'somebody' });
    assert.deepEqual(await store.metadata(stream), { owner: 'somebody' });
    await isMissing(store, store.read(stream), stream);
    assert.equal((await store.append(stream, store.events(1), NO_STREAM)).nextExpectedRevision, 0n);
  },

  'it is replaced, not merged': async (store) => {
    const { stream } = await streamOf(store, 3);
    await store.setMetadata(stream, { maxCount: 1, owner: 'somebody' });
    await store.setMetadata(stream, { place: 'somewhere' });
    assert.deepEqual(await store.metadata(stream), { place: 'somewhere' });
    await shows(store, stream, [0n, 1n, 2n]);
  },

  'it has revisions of its own, which can be expected': async (store) => {
    const { stream } = await streamOf(store, 5);
    await store.setMetadata(stream, { version: 1 }, NO_STREAM);
    await store.setMetadata(stream, { version: 2 }, 0n);
    await conflicts(store, store.setMetadata(stream, { version: 3 }, 0n), `$$${stream}`, 0n, 1n);
    await conflicts(store, store.setMetadata(stream, { version: 3 }, NO_STREAM), `$$${stream}`, NO_STREAM, 1n);
    assert.deepEqual(await store.metadata(stream), { version: 2 });
  },

  'its stream can be read': async (store) => {
    const { stream } = await streamOf(store, 1);
    await store.setMetadata(stream, { maxCount: 7 });
    const [event, ...others] = await store.read(`$$${stream}`);
    assert.deepEqual([event.type, event.isJson, event.data], ['$metadata', true, { $maxCount: 7 }]);
    assert.deepEqual(others, []);
  },

  'a count leaves the last events': async (store) => {
    const { stream } = await streamOf(store, 5);
    await store.setMetadata(stream, { maxCount: 2 });
    await shows(store, stream, [3n, 4n]);
    await store.append(stream, store.events(2), 4n);
    await shows(store, stream, [5n, 6n]);
    await store.setMetadata(stream, { maxCount: 100 });
    await shows(store, stream, [0n, 1n, 2n, 3n, 4n, 5n, 6n]);
  },

  'a read can begin and end within what a count hides': async (store) => {
    const { stream, events } = await streamOf(store, 8);
    await store.setMetadata(stream, { maxCount: 3 });
    areThese(await store.read(stream, { fromRevision: 1n, maxCount: 2 }), events.slice(5, 7), 5n);
    areThese(await store.read(stream, { fromRevision: 6n }), events.slice(6), 6n);
    const hidden = await store.read(stream, { direction: BACKWARDS, fromRevision: 2n });
    assert.deepEqual(hidden, []);
  },

  'a truncation hides what is before it': async (store) => {
    const { stream } = await streamOf(store, 5);
    await store.setMetadata(stream, { truncateBefore: 3 });
    await shows(store, stream, [3n, 4n]);
    await store.setMetadata(stream, { truncateBefore: 2 });
    await shows(store, stream, [2n, 3n, 4n]);
  },

  'a truncation of everything leaves an empty stream, not a missing one': async (store) => {
    const { stream } = await streamOf(store, 3);
    await store.setMetadata(stream, { truncateBefore: 3 });
    await shows(store, stream, []);
    await conflicts(store, store.append(stream, store.events(1), NO_STREAM), stream, NO_STREAM, 2n);
    await store.append(stream, store.events(1), 2n);
    await shows(store, stream, [3n]);
  },

  'of a count and a truncation the stronger one holds': async (store) => {
    const { stream } = await streamOf(store, 6);
    await store.setMetadata(stream, { maxCount: 4, truncateBefore: 3 });
    await shows(store, stream, [3n, 4n, 5n]);
    await store.setMetadata(stream, { maxCount: 1, truncateBefore: 3 });
    await shows(store, stream, [5n]);
  },

  'an age hides what is older': async (store) => {
    const { stream } = await streamOf(store, 3);
    await store.setMetadata(stream, { maxAge: 1 });
    await eventually(async () => assert.deepEqual(await store.read(stream), []));

    // On a slow machine even the new one may be too old before it is read: then another one is.
    let last = 2n;
    await eventually(async () => {
      await store.append(stream, store.events(1), last);
      last += 1n;
      const shown = revisionsOf(await store.read(stream));
      assert.deepEqual([shown.includes(0n), shown.at(-1)], [false, last]);
    });
    await store.setMetadata(stream, { maxAge: 86_400 });
    assert.equal((await store.read(stream)).length, Number(last) + 1);
  },

  'a subscription begins where the stream begins to be shown': async (store) => {
    const { stream, events } = await streamOf(store, 5);
    await store.setMetadata(stream, { maxCount: 2 });
    const follower = store.follow(stream);
    await follower.caughtUp();
    await follower.delivered(2);
    await follower.stop();
    areThese(follower.events, events.slice(3), 3n);
  },

  'the log shows what a stream hides': async (store) => {
    const { stream, events } = await streamOf(store, 4);
    const [first] = await store.read(stream, { maxCount: 1 });
    await store.setMetadata(stream, { maxCount: 1 });
    const log = await store.readAll({ fromPosition: first.position });
    areThese(log.filter(({ streamId }) => streamId === stream), events);
  },

  'of its own events a stream of metadata shows the last': async (store) => {
    const { stream } = await streamOf(store, 1);
    for (const version of [1, 2, 3]) await store.setMetadata(stream, { version });
    await shows(store, `$$${stream}`, [2n]);
    assert.deepEqual(revisionsOf(await store.read(`$$${stream}`, { fromRevision: 0n, maxCount: 1 })), [2n]);
  },

  'limits that are none are ignored': async (store) => {
    const { stream } = await streamOf(store, 3);
    const counts = [0, -3, '2', 1.5].map(($maxCount) => ({ $maxCount }));
    for (const data of [...counts, { $tb: -1 }, { $maxAge: 0 }]) {
      await store.append(`$$${stream}`, store.json({ type: '$metadata', data }));
      await shows(store, stream, [0n, 1n, 2n]);
    }
    await store.append(`$$${stream}`, store.binary({ type: '$metadata', data: Buffer.from('no JSON') }));
    await shows(store, stream, [0n, 1n, 2n]);
  },

  'a deletion forgets all of it, and the new stream begins after what was deleted': async (store) => {
    const { stream } = await streamOf(store, 3);
    await store.setMetadata(stream, { owner: 'somebody', maxCount: 5 });
    await store.delete(stream);
    assert.deepEqual(Object.keys(await store.metadata(stream)), ['truncateBefore']);
    await store.append(stream, store.events(1), NO_STREAM);
    await eventually(async () => assert.deepEqual(await store.metadata(stream), { truncateBefore: 3 }));
    await shows(store, stream, [3n]);
  },

  'it does not bring back what was deleted': async (store) => {
    const { stream } = await streamOf(store, 3);
    await store.delete(stream);
    await store.setMetadata(stream, { owner: 'somebody', truncateBefore: 1 });
    await eventually(async () => {
      assert.deepEqual(await store.metadata(stream), { owner: 'somebody', truncateBefore: 3 });
    });
    await shows(store, stream, []);
    await conflicts(store, store.append(stream, store.json(), NO_STREAM), stream, NO_STREAM, 2n);
    await store.append(stream, store.json(), 2n);
    await shows(store, stream, [3n]);
  },
};
