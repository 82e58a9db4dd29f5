// What the checks say about what they got.
import assert from 'node:assert/strict';

const PATIENCE_MS = 10_000;

/** The error, which must be of this class, with which the promise is rejected. */
export async function refused(promise, kind) {
  const error = await promise.then(
    (value) => assert.fail(`not refused, but answered: ${show(value)}`),
    (reason) => reason,
  );
  assert.ok(error instanceof kind, `${error?.constructor?.name} instead of ${kind.name}: ${error?.message}`);
  return error;
}

/** The promise is rejected as a conflict on this stream between these versions. */
export async function conflicts(store, promise, stream, expected, actual) {
  const error = await refused(promise, store.library.WrongExpectedVersionError);
  assert.deepEqual([error.streamName, ...store.versions(error)], [stream, expected, actual]);
}

export async function isMissing(store, read, stream) {
  const error = await refused(read, store.library.StreamNotFoundError);
  assert.equal(error.streamName, stream);
}

export async function isDeleted(store, promise, stream) {
  const error = await refused(promise, store.library.StreamDeletedError);
  assert.equal(error.streamName, stream);
}

/** What servers do a moment later than they answer. */
export async function eventually(holds) {
  for (const deadline = Date.now() + PATIENCE_MS; ; ) {
    try {
      return await holds();
    } catch (notYet) {
      if (Date.now() > deadline) throw notYet;
    }
  }
}

/** These are the events that were appended, at consecutive revisions from the first one. */
export function areThese(recorded, appended, firstRevision = 0n) {
  assert.deepEqual(idsOf(recorded), idsOf(appended));
  assert.deepEqual(revisionsOf(recorded), appended.map((_, n) => firstRevision + BigInt(n)));
}

/** Each event lies behind the one before. */
export function ascend(recorded) {
  const positions = recorded.map((event) => event.position.commit);
  const wrong = positions.findIndex((position, n) => n > 0 && position <= positions[n - 1]);
  assert.equal(wrong, -1, `position ${positions[wrong]} follows ${positions[wrong - 1]}`);
}

export const idsOf = (events) => events.map((event) => event.id);

export const revisionsOf = (events) => events.map((event) => event.revision);

export const show = (value) =>
  JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${part}n` : part)) ?? String(value);
