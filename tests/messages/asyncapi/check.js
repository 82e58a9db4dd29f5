// Holds docs/asyncapi.yaml against the AsyncAPI specification, its examples and every golden event against its schemas.
// Says in TAP how it went. The one argument is the root of the repository.
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Parser } from '@asyncapi/parser';
import Ajv from 'ajv';
import addFormats from 'ajv-formats';

const root = process.argv[2];
const golden = join(root, 'tests/CapaEngine.Specs/Contracts/Golden');
let count = 0;

async function check(name, body) {
  const wrong = await Promise.resolve().then(body).then((found) => found ?? [], (error) => [String(error?.stack ?? error)]);
  count += 1;
  console.log(`${wrong.length ? 'not ok' : 'ok'} - ${name}`);
  wrong.forEach((line) => console.log(`    ${line}`));
  if (wrong.length) process.exitCode = 1;
}

const { document, diagnostics } = await new Parser().parse(await readFile(join(root, 'docs/asyncapi.yaml'), 'utf8'));
await check('the document keeps to the specification', () => diagnostics
  .filter(({ severity }) => severity <= 1)
  .map(({ message, path, range }) => `${range.start.line + 1}: ${path.join('.')}: ${message}`));

if (document) {
  // References are resolved by now.
  const { components, channels, operations } = document.json();
  // `if` and `oneOf` speak of members that stand beside them, which strict mode takes for mistakes.
  const ajv = addFormats(new Ajv({ allErrors: true, strictRequired: false, strictTypes: false }));
  ajv.addKeyword('x-parser-schema-id');
  const problems = (schema, value, what) => {
    const validate = ajv.compile(schema);
    return validate(value) ? [] : [`${what}: ${ajv.errorsText(validate.errors)}`];
  };

  await check('both exchanges are described', () => {
    const described = Object.values(channels).map(({ bindings }) => bindings.amqp.exchange.name).sort();
    const wanted = ['capa.deviations', 'capa.events.p4'];
    return described.join() === wanted.join() && Object.keys(operations).length === wanted.length
      ? [] : [`described: ${described}`];
  });

  await check('every example is what its message says', () => {
    const examples = Object.entries(components.messages).flatMap(([name, { payload, examples = [] }]) =>
      examples.map((example) => ({ what: `${name}.${example.name}`, payload, value: example.payload })));
    if (examples.length < 3) return [`there are ${examples.length}`];
    return examples.flatMap(({ what, payload, value }) => problems(payload, value, what));
  });

  await check('every golden event has a schema and keeps to it', async () => {
    const files = (await readdir(golden)).filter((file) => file.endsWith('.json'));
    if (files.length < 100) return [`there are ${files.length}`];
    const found = await Promise.all(files.map(async (file) => {
      const type = file.slice(0, -'.json'.length);
      const event = JSON.parse(await readFile(join(golden, file), 'utf8'));
      return components.schemas[type] ? problems(components.schemas[type], event, type) : [`${type} has no schema`];
    }));
    return found.flat();
  });

  await check('an event with a member of the wrong kind is found out by its type', () => {
    const batch = structuredClone(components.messages.batch.examples[0].payload);
    batch.events[0].data.severity = 3;
    return problems(components.schemas.batch, batch, 'batch').length ? [] : ['nothing was found'];
  });
}

console.log(`1..${count}`);
