// Prints the events of batches, one JSON object a line, each once and those of a stream in order.
// Usage: node read.js AMQP-URI ROUTING-KEY... ; ends at the end of its standard input.
import amqp from 'amqplib';

const [uri, ...routingKeys] = process.argv.slice(2);
const connection = await amqp.connect(uri);
const channel = await connection.createChannel();

// Nobody else's queue, gone with the connection. To miss nothing while away: a durable name instead, and what `after`
// shows to be missing is read from the event store.
const { queue } = await channel.assertQueue('', { exclusive: true });
await channel.assertExchange('capa.events.p4', 'topic');
for (const key of routingKeys) await channel.bindQueue(queue, 'capa.events.p4', key);
await channel.prefetch(1);

const reached = new Map();
await channel.consume(queue, (message) => {
  const { after, through, events } = JSON.parse(message.content);
  const key = message.fields.routingKey;
  const position = reached.get(key) ?? after;
  if (position < after) console.error(`${key}: what lies between ${position} and ${after} is missing`);
  // A batch may come again, whole or in part.
  for (const event of events) if (Number(event.position) > position) console.log(JSON.stringify(event));
  reached.set(key, Math.max(position, through));
  channel.ack(message);
});
console.error('ready');

process.stdin.resume();
process.stdin.on('end', () => connection.close());
