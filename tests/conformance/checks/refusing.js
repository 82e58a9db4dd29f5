import assert from 'node:assert/strict';
import { areThese } from '../expect.js';
import { NO_STREAM } from '../store.js';

export const title = 'what the local event log has not';
export const needs = ['CAPA_TEST_EVENTLOG_PROCESS'];

const UNIMPLEMENTED = 12;

/** Refused as something that this server does not do; and the connection is none the worse for it. */
async function isUnknown(store, request) {
  const error = await request.then(() => assert.fail('not refused'), (reason) => reason);
  const understood = error instanceof store.library.UnsupportedError || error.code === UNIMPLEMENTED;
  assert.ok(understood, `${error?.constructor?.name}: ${error?.message}`);
  const [stream, events] = [store.stream(), store.events(1)];
  await store.append(stream, events, NO_STREAM);
  areThese(await store.read(stream), events);
}

const group = 'group';

export const checks = {
  'persistent subscriptions to a stream': async (store) => {
    const settings = store.library.persistentSubscriptionToStreamSettingsFromDefaults();
    const stream = store.stream();
    await isUnknown(store, store.client.createPersistentSubscriptionToStream(stream, group, settings));
    await isUnknown(store, store.client.deletePersistentSubscriptionToStream(stream, group));
    const subscription = store.client.subscribeToPersistentSubscriptionToStream(stream, group);
    await isUnknown(store, new Promise((resolve, reject) => {
      subscription.on('confirmation', resolve).on('error', reject);
    }));
  },

  'persistent subscriptions to all streams': async (store) => {
    const settings = store.library.persistentSubscriptionToAllSettingsFromDefaults();
    await isUnknown(store, store.client.createPersistentSubscriptionToAll(group, settings));
    await isUnknown(store, store.client.deletePersistentSubscriptionToAll(group));
  },

  'projections': async (store) => {
    await isUnknown(store, store.client.createProjection('counting', 'fromAll().when({})'));
    await isUnknown(store, store.client.getProjectionStatus('counting'));
    await isUnknown(store, store.client.disableProjection('counting'));
  },
};
