import assert from 'node:assert/strict';
import { ascend, idsOf } from '../expect.js';
import { END, NO_STREAM, START } from '../store.js';

export const title = 'checkpoints';

// A checkpoint is due after so many windows of so many events, whether they pass the filter or not.
const [WINDOW, WINDOWS, EVENTS] = [8, 2, 240];

/** Every third event passes the filter. */
async function scene(store) {
  const [wanted, other] = [store.stream('wanted'), store.stream('other')];
  const [first] = store.events(1);
  const { position: start } = await store.append(other, first, NO_STREAM);
  const turns = Array.from({ length: EVENTS / 3 }, () => [[other, store.events(2)], [wanted, store.events(1)]]);
  await Promise.all(turns.flat().map(([stream, events]) => store.append(stream, events)));
  const recorded = await store.read(wanted);
  return { wanted, other, start, recorded, filter: every(store, { prefixes: [wanted] }) };
}

function every(store, expression) {
  return store.byStream({ ...expression, maxSearchWindow: WINDOW, checkpointInterval: WINDOWS });
}

function ascending(checkpoints) {
  ascend(checkpoints.map((position) => ({ position })));
}

async function followed(store, filter, fromPosition, count) {
  const follower = store.followAll({ filter, fromPosition });
  await follower.caughtUp();
  await follower.delivered(count);
  await follower.stop();
  return follower;
}

const after = (position, events) => events.filter((event) => event.position.commit > position.commit);

export const checks = {
  'come in the interval that was asked for, each later than the one before': async (store) => {
    const { filter, start, recorded } = await scene(store);
    const { checkpoints } = await followed(store, filter, start, recorded.length);
    const due = Math.floor(EVENTS / (WINDOW * WINDOWS));
    assert.ok(checkpoints.length >= due - 1, `${checkpoints.length} checkpoints, where ${due} were due`);
    ascending(checkpoints);
  },

  'come although nothing passes the filter, and lie within the log': async (store) => {
    const { start, other } = await scene(store);
    const filter = every(store, { prefixes: [store.stream('none')] });
    const follower = store.followAll({ filter, fromPosition: start });
    await follower.caughtUp();
    await follower.until('had a checkpoint', () => follower.checkpoints.length > 0);
    const checkpoints = [...follower.checkpoints];
    const { position: end } = await store.append(other, store.json());
    await follower.stop();
    assert.deepEqual(follower.events, []);
    ascending(checkpoints);
    assert.deepEqual(checkpoints.filter((checkpoint) => checkpoint.commit > end.commit), []);
  },

  'come while live, too': async (store) => {
    const { filter, other } = await scene(store);
    const follower = store.followAll({ filter, fromPosition: END });
    await follower.caughtUp();
    const before = follower.checkpoints.length;
    await store.append(other, store.events(4 * WINDOW * WINDOWS));
    await follower.until('had a checkpoint', () => follower.checkpoints.length > before);
    await follower.stop();
    ascending(follower.checkpoints);
  },

  'resume without a gap and without a repetition': async (store) => {
    const { filter, start, recorded } = await scene(store);
    const { events, checkpoints } = await followed(store, filter, start, recorded.length);
    assert.deepEqual(idsOf(events), idsOf(recorded));
    const some = checkpoints.filter((_, n) => n % 4 === 1);
    assert.ok(some.length > 1);
    for (const checkpoint of some) {
      const rest = after(checkpoint, recorded);
      const resumed = await followed(store, filter, checkpoint, rest.length);
      assert.deepEqual(idsOf(resumed.events), idsOf(rest));
    }
  },

  'resume from the last one with what comes next': async (store) => {
    const { filter, wanted, start, recorded } = await scene(store);
    const { checkpoints } = await followed(store, filter, start, recorded.length);
    const last = checkpoints[checkpoints.length - 1];
    const next = store.json();
    await store.append(wanted, next);
    const rest = after(last, await store.read(wanted));
    assert.equal(rest[rest.length - 1].id, next.id);
    assert.deepEqual(idsOf((await followed(store, filter, last, rest.length)).events), idsOf(rest));
  },

  'can be replaced by the position of an event': async (store) => {
    const { filter, recorded } = await scene(store);
    for (const n of [0, 17, recorded.length - 2]) {
      const rest = recorded.slice(n + 1);
      const resumed = await followed(store, filter, recorded[n].position, rest.length);
      assert.deepEqual(idsOf(resumed.events), idsOf(rest));
    }
  },

  'can be left at any moment while events keep coming': async (store) => {
    const { filter, wanted, other, start, recorded } = await scene(store);
    let [written, enough] = [0, false];
    const writing = (async () => {
      for (; !enough; written++) {
        await store.append(other, store.events(3));
        await store.append(wanted, store.events(1));
      }
    })();
    const seen = [];
    let from = start;
    for (let round = 0; round < 15; round++) {
      const follower = store.followAll({ filter, fromPosition: from });
      await follower.until('moved', () => follower.events.length + follower.checkpoints.length > 2);
      await follower.stop();
      // As a consumer would: what was handled counts, up to the last event or checkpoint.
      seen.push(...follower.events);
      from = [...follower.events.map(({ position }) => position), ...follower.checkpoints]
        .reduce((last, position) => (position.commit > last.commit ? position : last), from);
    }
    enough = true;
    await writing;
    const all = await store.read(wanted);
    const rest = after(from, all);
    seen.push(...(await followed(store, filter, from, rest.length)).events);
    assert.deepEqual(idsOf(seen), idsOf(all));
    assert.equal(all.length, recorded.length + written);
  },

  'are not sent where nothing is filtered': async (store) => {
    const { start, recorded } = await scene(store);
    const follower = store.followAll({ fromPosition: start });
    await follower.reached(recorded[recorded.length - 1]);
    await follower.stop();
    assert.deepEqual(follower.checkpoints, []);
    assert.notEqual(start, START);
  },
};
