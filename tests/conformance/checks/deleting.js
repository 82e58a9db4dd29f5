import assert from 'node:assert/strict';
import { areThese, conflicts, eventually, idsOf, isDeleted, isMissing, revisionsOf } from '../expect.js';
import { onEachRoute } from '../routes.js';
import { ANY, BACKWARDS, END, NO_STREAM, STREAM_EXISTS } from '../store.js';

export const title = 'deleting';

async function streamOf(store, count) {
  const [stream, events] = [store.stream(), store.events(count)];
  const { position } = await store.append(stream, events, NO_STREAM);
  return { stream, events, position };
}

/** A stream as the log shows it, from its first event on, with its metadata. */
async function inTheLog(store, stream, remove) {
  const [first] = await store.read(stream, { maxCount: 1 });
  await remove();
  const all = await store.readAll({ fromPosition: first.position });
  return all.filter(({ streamId }) => streamId === stream || streamId === `$$${stream}`);
}

async function deleted(store, count = 3) {
  const made = await streamOf(store, count);
  await store.delete(made.stream);
  return made;
}

async function tombstoned(store) {
  const made = await streamOf(store, 3);
  await store.tombstone(made.stream);
  return made;
}

const backwards = (store, stream, maxCount = 1) =>
  store.read(stream, { direction: BACKWARDS, fromRevision: END, maxCount });

const deletions = {
  'a deleted stream is missing, however it is read': async (store) => {
    const { stream } = await deleted(store);
    await isMissing(store, store.read(stream), stream);
    await isMissing(store, store.read(stream, { fromRevision: 1n }), stream);
    await isMissing(store, backwards(store, stream), stream);
  },

  'a stream is deleted at its revision and at no other': async (store) => {
    const { stream } = await streamOf(store, 3);
    await conflicts(store, store.delete(stream, 1n), stream, 1n, 2n);
    await conflicts(store, store.delete(stream, 7n), stream, 7n, 2n);
    await conflicts(store, store.delete(stream, NO_STREAM), stream, -1n, 2n);
    assert.equal((await store.read(stream)).length, 3);
    await store.delete(stream, 2n);
    await isMissing(store, store.read(stream), stream);
  },

  'there is nothing to delete in a stream that does not exist': async (store) => {
    const stream = store.stream();
    await conflicts(store, store.delete(stream, ANY), stream, -2n, -1n);
    await conflicts(store, store.delete(stream, NO_STREAM), stream, -1n, -1n);
    await conflicts(store, store.delete(stream, 0n), stream, 0n, -1n);
    assert.equal((await store.append(stream, store.json(), NO_STREAM)).nextExpectedRevision, 0n);
  },

  'a deletion has a position after what it deletes': async (store) => {
    const { stream, position } = await streamOf(store, 3);
    const deletion = await store.delete(stream);
    assert.ok(deletion.position.commit > position.commit);
  },

  'the log still shows what was deleted, and the deletion': async (store) => {
    const { stream, events } = await streamOf(store, 3);
    const own = await inTheLog(store, stream, () => store.delete(stream));
    areThese(own.slice(0, 3), events);
    assert.deepEqual([own[3].streamId, own[3].type], [`$$${stream}`, '$metadata']);
    assert.equal(own.length, 4);
  },

  'what is deleted can be deleted again': async (store) => {
    const { stream } = await deleted(store);
    await store.delete(stream, 2n);
    await store.delete(stream);
    await isMissing(store, store.read(stream), stream);
  },

  'what was created anew shows only what is new': async (store) => {
    const { stream } = await deleted(store);
    const events = store.events(3);
    await store.append(stream, events, NO_STREAM);
    await eventually(async () => areThese(await store.read(stream), events, 3n));
    areThese(await store.read(stream, { fromRevision: 1n, maxCount: 2 }), events.slice(0, 2), 3n);
    assert.deepEqual(revisionsOf(await backwards(store, stream, 10)), [5n, 4n, 3n]);
  },

  'what was created anew can be deleted and created again': async (store) => {
    const { stream } = await deleted(store);
    await store.append(stream, store.events(2), NO_STREAM);
    await eventually(() => store.read(stream));
    await store.delete(stream, 4n);
    await isMissing(store, store.read(stream), stream);
    const events = store.events(1);
    await store.append(stream, events, NO_STREAM);
    await eventually(async () => areThese(await store.read(stream), events, 5n));
  },
};

const races = {
  'a deletion and an append at the same time come one after the other': async (store) => {
    const made = await Promise.all(Array.from({ length: 30 }, () => streamOf(store, 2)));
    await Promise.all(made.map(async ({ stream }) => {
      const event = store.json();
      const [deletion, append] = await Promise.all([store.delete(stream), store.append(stream, event)]);
      assert.equal(append.nextExpectedRevision, 2n);
      if (deletion.position.commit > append.position.commit) await isMissing(store, store.read(stream), stream);
      else await eventually(async () => areThese(await store.read(stream), [event], 2n));
    }));
  },
};

const tombstones = {
  'a tombstoned stream cannot be read': async (store) => {
    const { stream } = await tombstoned(store);
    await isDeleted(store, store.read(stream), stream);
    await isDeleted(store, store.read(stream, { fromRevision: 1n }), stream);
    await isDeleted(store, backwards(store, stream), stream);
    await isDeleted(store, store.read(`$$${stream}`), `$$${stream}`);
  },

  'a tombstoned stream gets no metadata': async (store) => {
    const { stream } = await tombstoned(store);
    await isDeleted(store, store.setMetadata(stream, { purpose: 'none' }), `$$${stream}`);
  },

  'a tombstoned stream can be neither deleted nor tombstoned again': async (store) => {
    const { stream } = await tombstoned(store);
    for (const expected of [ANY, NO_STREAM, 2n]) {
      await isDeleted(store, store.delete(stream, expected), stream);
      await isDeleted(store, store.tombstone(stream, expected), stream);
    }
  },

  'a stream is tombstoned at its revision and at no other': async (store) => {
    const { stream } = await streamOf(store, 3);
    await conflicts(store, store.tombstone(stream, 1n), stream, 1n, 2n);
    await conflicts(store, store.tombstone(stream, NO_STREAM), stream, -1n, 2n);
    await store.tombstone(stream, 2n);
    await isDeleted(store, store.read(stream), stream);
  },

  'a stream that does not exist can be tombstoned': async (store) => {
    const [stream, other] = [store.stream(), store.stream()];
    await conflicts(store, store.tombstone(stream, 0n), stream, 0n, -1n);
    await store.tombstone(stream, NO_STREAM);
    await store.tombstone(other, ANY);
    await isDeleted(store, store.read(stream), stream);
    await isDeleted(store, store.read(other), other);
  },

  'a deleted stream can be tombstoned': async (store) => {
    const { stream } = await deleted(store);
    await store.tombstone(stream);
    await isDeleted(store, store.read(stream), stream);
  },

  'the log still shows what was tombstoned, and the tombstone': async (store) => {
    const { stream, events } = await streamOf(store, 3);
    const own = await inTheLog(store, stream, () => store.tombstone(stream));
    assert.deepEqual(idsOf(own.slice(0, 3)), idsOf(events));
    assert.deepEqual(own.slice(3).map(({ type }) => type), ['$streamDeleted']);
  },
};

const tombstonesOfWhatExists = {
  'stream exists tombstones a stream, conflicts with none and with a deleted one': async (store) => {
    const [{ stream }, other] = [await streamOf(store, 1), store.stream()];
    await store.tombstone(stream, STREAM_EXISTS);
    await isDeleted(store, store.read(stream), stream);
    await conflicts(store, store.tombstone(other, STREAM_EXISTS), other, -4n, -1n);
    const { stream: gone } = await deleted(store);
    await isDeleted(store, store.tombstone(gone, STREAM_EXISTS), gone);
    await isMissing(store, store.read(gone), gone);
  },
};

const appends = onEachRoute({
  'what is deleted goes on after its last revision': async (store, append) => {
    for (const expected of [NO_STREAM, ANY, 2n]) {
      const { stream } = await deleted(store);
      const [event] = store.events(1);
      assert.equal((await append(stream, event, expected)).nextExpectedRevision, 3n);
      await eventually(async () => areThese(await store.read(stream), [event], 3n));
    }
  },

  'what is deleted conflicts with a revision that is not its last': async (store, append) => {
    const { stream } = await deleted(store);
    await conflicts(store, append(stream, store.events(1), 1n), stream, 1n, 2n);
    await conflicts(store, append(stream, store.events(1), 3n), stream, 3n, 2n);
    await isMissing(store, store.read(stream), stream);
  },

  'what is deleted does not exist for an append': async (store, append) => {
    const { stream } = await deleted(store);
    await isDeleted(store, append(stream, store.events(1), STREAM_EXISTS), stream);
    await isMissing(store, store.read(stream), stream);
  },

  'nothing, appended to what is deleted, creates it anew': async (store, append) => {
    const { stream } = await deleted(store);
    await conflicts(store, append(stream, [], NO_STREAM), stream, NO_STREAM, 2n);
    await isMissing(store, store.read(stream), stream);
    assert.equal((await append(stream, [], ANY)).nextExpectedRevision, 2n);
    await eventually(async () => assert.deepEqual(await store.read(stream), []));
  },

  'a repeat from before a deletion is still a repeat': async (store, append) => {
    const { stream, events } = await deleted(store);
    assert.equal((await append(stream, events, NO_STREAM)).nextExpectedRevision, 2n);
    await isMissing(store, store.read(stream), stream);
  },

  'nothing more is appended to a tombstoned stream': async (store, append) => {
    const { stream, events } = await tombstoned(store);
    for (const expected of [ANY, NO_STREAM, STREAM_EXISTS, 1n, 2n]) {
      await isDeleted(store, append(stream, store.events(1), expected), stream);
    }
    await isDeleted(store, append(stream, events, NO_STREAM), stream);
    await isDeleted(store, append(stream, [], ANY), stream);
  },
});

export const checks = (store) => ({
  ...deletions,
  ...races,
  ...tombstones,
  ...(store.can('tombstones of what exists') ? tombstonesOfWhatExists : {}),
  ...appends,
});
