import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { areThese, isMissing, refused } from '../expect.js';
import { onEachRoute } from '../routes.js';
import { NO_STREAM } from '../store.js';

export const title = 'content';

const APPEND_BYTES_MAX = 1024 * 1024;
const ROOM_FOR_THE_REST = 1024;
const CLOCKS_MAY_DIFFER_MS = 60_000;

// Measured together with the length of its type, as servers of the protocol do.
const sized = (store, bytes) => store.binary({ data: randomBytes(bytes) });

async function tooLarge(store, append, stream) {
  const error = await refused(append, store.library.MaxAppendSizeExceededError);
  assert.equal(error.maxAppendSize, APPEND_BYTES_MAX);
  await isMissing(store, store.read(stream), stream);
}

export const checks = onEachRoute({
  'JSON and its metadata come back as they were': async (store, append) => {
    const stream = store.stream();
    const text = 'Maß 0,5 µm ≤ 𝛼 "\\\n\u0001';
    const data = { text, list: [1, -2.5, 1e21, null, true, {}], nested: { $key: '' } };
    const event = store.json({ type: 'measured', data, metadata: { $correlationId: 'c-1', unit: '°C' } });
    await append(stream, event, NO_STREAM);
    const [recorded] = await store.read(stream);
    assert.deepEqual(recorded.data, data);
    assert.deepEqual(recorded.metadata, { $correlationId: 'c-1', unit: '°C' });
    assert.equal(recorded.isJson, true);
  },

  'bytes and metadata of bytes come back as they were': async (store, append) => {
    const [stream, data] = [store.stream(), Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))];
    const metadata = Buffer.from(data).reverse();
    await append(stream, store.binary({ data, metadata }), NO_STREAM);
    const [recorded] = await store.read(stream);
    assert.equal(recorded.isJson, false);
    assert.deepEqual(Buffer.from(recorded.data), data);
    assert.deepEqual(Buffer.from(recorded.metadata), metadata);
  },

  'an empty body and no metadata stay so': async (store, append) => {
    const stream = store.stream();
    await append(stream, store.binary({ data: Buffer.alloc(0) }), NO_STREAM);
    const [recorded] = await store.read(stream);
    assert.equal(recorded.data.length, 0);
    assert.equal(recorded.metadata, undefined);
  },

  'an event keeps its id and type, and gets stream, revision, position and time': async (store, append) => {
    const [stream, event] = [store.stream(), store.json({ type: 'noted' })];
    const { position } = await append(stream, event, NO_STREAM);
    const [recorded] = await store.read(stream);
    assert.deepEqual([recorded.id, recorded.type, recorded.streamId], [event.id, 'noted', stream]);
    assert.deepEqual([recorded.revision, recorded.position], [0n, position]);
    assert.ok(Math.abs(recorded.created - Date.now()) < CLOCKS_MAY_DIFFER_MS, `created at ${recorded.created}`);
  },

  'streams and types may have names in any script': async (store, append) => {
    const [stream, type] = [store.stream('Prüfstand-測定-🔧'), 'gemessen-測定-🔧'];
    await append(stream, store.events(2, type), NO_STREAM);
    const recorded = await store.read(stream);
    assert.deepEqual(recorded.map((event) => [event.streamId, event.type]), [[stream, type], [stream, type]]);
  },

  'streams whose names differ in case only are two': async (store, append) => {
    const lower = store.stream('lot-a');
    const upper = lower.replace('lot-a', 'lot-A');
    const [one, other] = store.events(2);
    await append(lower, one, NO_STREAM);
    await append(upper, other, NO_STREAM);
    areThese(await store.read(lower), [one]);
    areThese(await store.read(upper), [other]);
  },

  'an event just below the limit comes back byte by byte': async (store, append) => {
    const [stream, event] = [store.stream(), sized(store, APPEND_BYTES_MAX - ROOM_FOR_THE_REST)];
    await append(stream, event, NO_STREAM);
    const [recorded] = await store.read(stream);
    assert.ok(Buffer.from(recorded.data).equals(Buffer.from(event.data)));
  },

  'an event above the limit is refused and leaves nothing': async (store, append) => {
    const stream = store.stream();
    await tooLarge(store, append(stream, sized(store, APPEND_BYTES_MAX + 1), NO_STREAM), stream);
  },

  'the limit holds for all events of an append together': async (store, append) => {
    const stream = store.stream();
    const third = Math.ceil(APPEND_BYTES_MAX / 3);
    await tooLarge(store, append(stream, [1, 2, 3].map(() => sized(store, third)), NO_STREAM), stream);
  },

  'an append that takes several frames is refused as a whole': async (store, append) => {
    const [stream, half] = [store.stream(), APPEND_BYTES_MAX / 2];
    await tooLarge(store, append(stream, Array.from({ length: 8 }, () => sized(store, half)), NO_STREAM), stream);
  },
});
