// Sends each line of the standard input, a CloudEvent, as a machine does: persistent, mandatory, and confirmed.
// Usage: node send.js AMQP-URI LINE < events
import { createInterface } from 'node:readline';
import amqp from 'amqplib';

const [uri, line] = process.argv.slice(2);
const connection = await amqp.connect(uri);
const channel = await connection.createConfirmChannel();
channel.on('return', ({ content }) => {
  console.error(`no queue took ${content}`);
  process.exitCode = 1;
});

for await (const event of createInterface({ input: process.stdin })) {
  channel.publish('capa.deviations', line, Buffer.from(event), {
    contentType: 'application/cloudevents+json', persistent: true, mandatory: true, userId: new URL(uri).username,
  });
}
await channel.waitForConfirms();
await connection.close();
