// The checks with one client, started by run.js, which is told what is planned and how each check went.
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { Store } from './store.js';

const CHECK_MS_MAX = 30_000;

/** The groups of checks, one a file; that which ends the event log is the last. */
async function load() {
  const folder = new URL('checks/', import.meta.url);
  const files = (await readdir(folder)).filter((file) => file.endsWith('.js')).sort();
  const groups = await Promise.all(files.map((file) => import(new URL(file, folder))));
  const wanted = groups.filter(({ title, needs = [] }) => {
    const missing = needs.find((name) => !process.env[name]);
    if (missing) process.send({ unchecked: `${title}, for ${missing} is not set` });
    return !missing;
  });
  return wanted.sort((one, other) => Number(one.last ?? false) - Number(other.last ?? false));
}

/** Waits for the other client; `end` also ends the event log. */
async function together(waitsFor) {
  process.send({ waitsFor });
  await once(process, 'message');
}

async function attempt(body) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${CHECK_MS_MAX} ms`)), CHECK_MS_MAX);
  });
  try {
    await Promise.race([body(), late]);
  } catch (error) {
    return String(error?.stack ?? error);
  } finally {
    clearTimeout(timer);
  }
}

const store = await Store.open(process.argv[2], process.env.CAPA_TEST_EVENTSTORE);
const groups = (await load()).map(({ checks, ...group }) =>
  ({ ...group, checks: Object.entries(typeof checks === 'function' ? checks(store) : checks) }));
process.send({ planned: groups.reduce((sum, { checks }) => sum + checks.length, 0) });

for (const { title, checks, last } of groups) {
  if (last) await together('go on');
  for (const [name, body] of checks) {
    const error = await attempt(() => body(store, () => together('end')));
    process.send({ name: `${title}: ${name}`, error });
  }
}

// Connections that the client keeps open would keep the process alive; what was sent goes first.
process.disconnect();
process.exit(0);
