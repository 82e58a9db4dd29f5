import assert from 'node:assert/strict';
import { areThese, idsOf, isMissing, refused } from '../expect.js';
import { NO_STREAM, START } from '../store.js';

export const title = 'access';
export const needs = ['CAPA_TEST_EVENTSTORE_SECURED'];

// Users of that store, with the administrator's password: ada is an engineer, bob is nothing in particular.
const [ADA, BOB, ENGINEERS] = ['ada', 'bob', 'engineers'];

/** A stream of three events, with this access list, and those who would like to see it. */
export async function scene(store, acl) {
  const admin = store.reconnected({ address: process.env.CAPA_TEST_EVENTSTORE_SECURED });
  const [stream, events] = [admin.stream(), admin.events(3)];
  await admin.append(stream, events, NO_STREAM);
  if (acl) await admin.setMetadata(stream, { acl });
  const as = (user, password) => admin.reconnected({ user, password });
  return { admin, as, ada: as(ADA), bob: as(BOB), stream, events };
}

/** Ways of asking for something, each of which is refused. */
export async function denied(store, ...attempts) {
  for (const attempt of attempts) await refused(Promise.resolve(attempt()), store.library.AccessDeniedError);
}

export const following = async (follower) => {
  throw await follower.failure();
};

export const checks = {
  'an administrator may write, read, follow and delete over TLS': async (store) => {
    const { admin, stream, events } = await scene(store);
    const follower = admin.follow(stream, START);
    await follower.delivered(3);
    await follower.stop();
    areThese(await admin.read(stream), events);
    assert.ok((await admin.readAll({ maxCount: 3 })).length > 0);
    await admin.delete(stream);
    await isMissing(admin, admin.read(stream), stream);
  },

  'an administrator may come by discovery': async (store) => {
    const { admin, stream, events } = await scene(store);
    areThese(await admin.reconnected({ discover: true }).read(stream), events);
  },

  'nobody may do anything without credentials': async (store) => {
    const { as, stream } = await scene(store);
    const nobody = as('');
    await denied(store,
      () => nobody.append(stream, nobody.json()),
      () => nobody.append(nobody.stream(), nobody.json()),
      () => nobody.read(stream),
      () => nobody.readAll(),
      () => nobody.delete(stream),
      () => following(nobody.follow(stream)));
  },

  'nobody may do anything with a wrong password or an unknown name': async (store) => {
    const { as, stream } = await scene(store);
    for (const stranger of [as(ADA, 'guessed'), as('eve')]) {
      await denied(store, () => stranger.read(stream), () => stranger.append(stream, stranger.json()));
    }
  },

  'a certificate of an unknown authority is not trusted': async (store) => {
    const { admin, stream } = await scene(store);
    const careful = admin.reconnected({ keys: { tlsCaFile: undefined, maxDiscoverAttempts: '1' } });
    const { message } = await refused(careful.append(stream, careful.json()), Error);
    assert.match(message, /certificate/);
  },

  'a stream without a list is everybody’s': async (store) => {
    const { ada, bob, stream, events } = await scene(store);
    const [next] = ada.events(1);
    await ada.append(stream, next, 2n);
    areThese(await bob.read(stream), [...events, next]);
  },

  'a stream may be readable by one user only': async (store) => {
    const { admin, ada, bob, stream, events } = await scene(store, { readRoles: [ADA] });
    areThese(await ada.read(stream), events);
    areThese(await admin.read(stream), events);
    await denied(store, () => bob.read(stream), () => following(bob.follow(stream)));
    await bob.append(stream, bob.json(), 2n);
  },

  'a stream may be readable by one group only': async (store) => {
    const { ada, bob, stream, events } = await scene(store, { readRoles: ENGINEERS });
    areThese(await ada.read(stream), events);
    await denied(store, () => bob.read(stream));
  },

  'a stream may be writable by one user only': async (store) => {
    const { ada, bob, stream } = await scene(store, { writeRoles: [ADA] });
    await ada.append(stream, ada.json(), 2n);
    await ada.append(stream, ada.json(), 3n, { alone: true });
    await denied(store,
      () => bob.append(stream, bob.json()),
      () => bob.append(stream, bob.json(), undefined, { alone: true }));
    assert.equal((await bob.read(stream)).length, 5);
  },

  'a stream may be deletable by one user only': async (store) => {
    const { ada, bob, stream } = await scene(store, { deleteRoles: [ADA] });
    await denied(store, () => bob.delete(stream), () => bob.tombstone(stream));
    await ada.delete(stream);
    await isMissing(ada, ada.read(stream), stream);
  },

  'metadata have rights of their own': async (store) => {
    const acl = { metaReadRoles: [ADA, BOB], metaWriteRoles: [ADA] };
    const { ada, bob, stream } = await scene(store, acl);
    assert.deepEqual(await bob.metadata(stream), { acl });
    await denied(store, () => bob.setMetadata(stream, {}));
    await ada.setMetadata(stream, { acl: { ...acl, metaReadRoles: [ADA] } });
    await denied(store, () => bob.metadata(stream));
  },

  'the whole log is for administrators': async (store) => {
    const { ada } = await scene(store);
    await denied(store,
      () => ada.readAll({ maxCount: 1 }),
      () => following(ada.followAll()),
      () => following(ada.followAll({ filter: ada.byStream({ prefixes: ['conformance'] }) })));
  },

  'one refusal among appends in flight leaves the others be': async (store) => {
    const { ada, stream } = await scene(store, { writeRoles: '$admins' });
    const [own, events] = [ada.stream(), ada.events(50)];
    const attempts = await Promise.allSettled(
      events.flatMap((event) => [ada.append(own, event), ada.append(stream, ada.json())]));
    const refusals = attempts.filter(({ status }) => status === 'rejected').map(({ reason }) => reason);
    assert.equal(refusals.length, 50);
    assert.ok(refusals.every((reason) => reason instanceof store.library.AccessDeniedError));
    assert.deepEqual(idsOf(await ada.read(own)).sort(), idsOf(events).sort());
  },
};
