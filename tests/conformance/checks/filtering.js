import assert from 'node:assert/strict';
import { ascend, idsOf } from '../expect.js';
import { BACKWARDS, END } from '../store.js';

export const title = 'filtering';

const ESCAPED = /[.*+?^${}()|[\]\\]/g;

/** Two families of streams, two of types, ten events of each pair; told apart by a mark that no other check has. */
async function scene(store) {
  const mark = store.stream('mark');
  const { position: start } = await store.append(mark, store.json());
  const recorded = Array.from({ length: 40 }, (_, n) => ({
    ...store.json({ type: `${mark}.${n % 4 < 2 ? 'opened' : 'closed'}`, data: { n } }),
    stream: `${mark}-${n % 2 ? 'lot' : 'order'}-${n % 5}`,
  }));
  await Promise.all(recorded.map(({ stream, ...event }) => store.append(stream, event)));
  return { mark, start, recorded };
}

/** What each of the four filters lets through. */
function filters(store, { mark, recorded }) {
  const pattern = mark.replace(ESCAPED, '\\$&');
  const wanted = (condition) => idsOf(recorded.filter(condition));
  return {
    'stream prefix': [store.byStream({ prefixes: [`${mark}-lot`] }), wanted((e) => e.stream.includes('-lot-'))],
    'stream prefixes': [
      store.byStream({ prefixes: [`${mark}-lot-1`, `${mark}-order-0`] }),
      wanted((e) => e.stream.endsWith('-lot-1') || e.stream.endsWith('-order-0')),
    ],
    'stream pattern': [store.byStream({ regex: `^${pattern}-.*-[01]$` }), wanted((e) => /-[01]$/.test(e.stream))],
    'type prefix': [store.byType({ prefixes: [`${mark}.op`] }), wanted((e) => e.type.endsWith('.opened'))],
    'type prefixes': [store.byType({ prefixes: [`${mark}.op`, `${mark}.clo`] }), wanted(() => true)],
    'type pattern': [store.byType({ regex: `^${pattern}\\.c\\w+d$` }), wanted((e) => e.type.endsWith('.closed'))],
  };
}

const named = (body) => Object.fromEntries(
  ['stream prefix', 'stream prefixes', 'stream pattern', 'type prefix', 'type prefixes', 'type pattern'].flatMap(body));

const reads = {
  ...named((name) => [
    [`a read by ${name}, forwards`, async (store) => {
      const before = await scene(store);
      const [filter, wanted] = filters(store, before)[name];
      const options = { filter, fromPosition: before.start };
      const read = await store.readAll(options);
      assert.deepEqual(idsOf(read), wanted);
      ascend(read);
      assert.deepEqual(idsOf(await store.readAll({ ...options, maxCount: 3 })), wanted.slice(0, 3));
    }],
    [`a read by ${name}, backwards`, async (store) => {
      const [filter, wanted] = filters(store, await scene(store))[name];
      const options = { filter, direction: BACKWARDS, fromPosition: END };
      const read = await store.readAll({ ...options, maxCount: wanted.length });
      assert.deepEqual(idsOf(read), [...wanted].reverse());
      assert.deepEqual(idsOf(await store.readAll({ ...options, maxCount: 3 })), wanted.slice(-3).reverse());
    }],
  ]),

  'a read that finds nothing': async (store) => {
    assert.deepEqual(await store.readAll({ filter: store.byStream({ prefixes: [store.stream()] }) }), []);
    const filter = store.byStream({ prefixes: [store.stream()] });
    assert.deepEqual(await store.readAll({ filter, direction: BACKWARDS, fromPosition: END }), []);
  },
};

const subscriptions = named((name) => [
  [`a subscription by ${name}, to what was and to what comes`, async (store) => {
    const before = await scene(store);
    const [filter, wanted] = filters(store, before)[name];
    const follower = store.followAll({ filter, fromPosition: before.start });
    await follower.delivered(wanted.length);
    await follower.caughtUp();
    await Promise.all(before.recorded.map(({ stream, type }) => store.append(stream, store.json({ type }))));
    await follower.delivered(2 * wanted.length);
    await follower.stop();
    assert.deepEqual(idsOf(follower.events).slice(0, wanted.length), wanted);
    assert.equal(follower.events.length, 2 * wanted.length);
    ascend(follower.events);
  }],
]);

export const checks = (store) => ({
  ...(store.can('filtered reads') ? reads : {}),
  ...subscriptions,

  'a subscription that leaves system events out': async (store) => {
    const [stream, [first, last]] = [store.stream(), store.events(2)];
    const { position } = await store.append(stream, first);
    await store.setMetadata(stream, { purpose: 'to be a system event' });
    await store.append(stream, last);
    const [filtered, unfiltered] = [{ filter: store.library.excludeSystemEvents() }, {}]
      .map((options) => store.followAll({ fromPosition: position, ...options }));
    await Promise.all([filtered.reached(last), unfiltered.reached(last)]);
    await Promise.all([filtered.stop(), unfiltered.stop()]);
    const isSystem = ({ type }) => type.startsWith('$');
    assert.ok(unfiltered.events.some((event) => isSystem(event) && event.streamId === `$$${stream}`));
    assert.deepEqual(filtered.events.filter(isSystem), []);
  },
});
