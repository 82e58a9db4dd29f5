import assert from 'node:assert/strict';
import { START } from '../store.js';
import { denied, following, scene } from './access.js';

// Servers before 24.2 ask only once who follows.
export const title = 'access that is taken away';
export const needs = ['CAPA_TEST_EVENTSTORE_SECURED', 'CAPA_TEST_EVENTLOG_PROCESS'];

export const checks = {
  'ends what it allowed': async (store) => {
    const { admin, bob, stream } = await scene(store);
    const follower = bob.follow(stream, START);
    await follower.delivered(3);
    await admin.setMetadata(stream, { acl: { readRoles: ['ada'] } });
    await admin.append(stream, admin.json());
    await denied(store, () => following(follower));
    assert.equal(follower.events.length, 3);
  },
};
