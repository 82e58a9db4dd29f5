// Runs every check in `checks/` with both clients against the store at CAPA_TEST_EVENTSTORE, and says in TAP how it
// went. With CAPA_TEST_EVENTLOG_PROCESS, the process id of a local event log, what only that log does is checked too,
// and at last it is ended. Each client has a process of its own: the two packages overwrite each other's messages.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { PACKAGES } from './store.js';

const suites = new Set();
const waiting = new Set();
const planned = new Map();
const unchecked = new Set();
const results = [];

function report(name, error) {
  results.push(!error);
  console.log(`${error ? 'not ok' : 'ok'} - ${name}`);
  if (error) console.log(error.replace(/^/gm, '    '));
}

/** Lets the clients go on together, once all that still run have come so far. */
function letGo(then) {
  if (waiting.size < suites.size) return;
  if (then === 'end') process.kill(Number(process.env.CAPA_TEST_EVENTLOG_PROCESS), 'SIGTERM');
  waiting.forEach((suite) => suite.send(then));
  waiting.clear();
}

async function run(client) {
  // The clients name the server after its address, which Node.js does not like where that is a number.
  const suite = fork(new URL('suite.js', import.meta.url), [client], { execArgv: ['--no-deprecation'] });
  suites.add(suite);
  suite.on('message', (message) => {
    if (message.waitsFor) {
      waiting.add(suite);
      letGo(message.waitsFor);
    } else if (message.unchecked) {
      unchecked.add(message.unchecked);
    } else if (message.planned) {
      planned.set(client, message.planned);
    } else {
      report(`${client}: ${message.name}`, message.error);
    }
  });
  const [code, signal] = await once(suite, 'exit');
  suites.delete(suite);
  letGo('go on');
  if (code !== 0) report(`${client}: runs all checks`, `ended with ${signal ?? `exit code ${code}`}`);
}

if (!process.env.CAPA_TEST_EVENTSTORE) {
  console.error('CAPA_TEST_EVENTSTORE names no store, for example esdb://127.0.0.1:2113?tls=false');
  process.exit(2);
}

await Promise.all(PACKAGES.map(run));
unchecked.forEach((why) => console.log(`# not checked: ${why}`));
const wanted = [...planned.values()].reduce((sum, count) => sum + count, 0);
console.log(`1..${wanted}`);
process.exitCode = planned.size === PACKAGES.length && results.length === wanted && results.every(Boolean) ? 0 : 1;
