import { createSocket } from 'node:dgram';

/**
 * Sends the jobs of a simulated Sidekiq Pro to a UDP port at a steady pace: `statsdSender.ts PORT LINES LINES_PER_SECOND`.
 * Half of the jobs come from Pro 7, half from Pro 8, whose names have `sidekiq.` so that the two can be told apart.
 * Each job is a count, a success or failure, and a duration; the same lines in the same order in each run.
 */
const [port = 0, lines = 0, pace = 0] = process.argv.slice(2).map(Number);
const LINES_PER_PACKET = 12;
const CLASSES = Array.from({ length: 40 }, (_, index) => `Bench::Job${index}`);
const QUEUES = ['default', 'billing', 'webhook', 'events', 'pdfs'];

const socket = createSocket('udp4');
socket.connect(port, '127.0.0.1', () => {
  const packets = makePackets(lines);
  const startedAt = performance.now();
  let sent = 0;
  const step = () => {
    const due = Math.min(
      packets.length,
      Math.ceil(((performance.now() - startedAt) / 1000) * (pace / LINES_PER_PACKET))
    );
    for (; sent < due; sent += 1) {
      socket.send(packets[sent]!);
    }
    if (sent < packets.length) {
      setImmediate(step);
    } else {
      setTimeout(() => socket.close(), 200);
    }
  };
  step();
});

function makePackets(count: number): Buffer[] {
  const packets: Buffer[] = [];
  let state = 42;
  // A linear congruential generator: repeatable, and no part of what is measured.
  const random = () => (state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296) / 4_294_967_296;
  let packet: string[] = [];
  for (let index = 0; index < count; index += 3) {
    const jobClass = Math.floor(random() * CLASSES.length);
    const pro8 = index % 2 === 1;
    const names = pro8 ? 'lago-api.sidekiq' : 'lago-api';
    const queue = `${QUEUES[jobClass % QUEUES.length]}${pro8 ? '8' : ''}`;
    const tags = `#env:bench,service:sidekiq,queue:${queue},worker:${CLASSES[jobClass]}`;
    const failed = random() < 0.03;
    const milliseconds = Math.exp(3 + (jobClass % 7) * 0.5 + 2 * (random() + random() + random() - 1.5));
    packet.push(
      `${names}.jobs.count:1|c|${tags}`,
      failed ? `${names}.jobs.failure:1|c|${tags},error_type:StandardError` : `${names}.jobs.success:1|c|${tags}`,
      `${names}.jobs.perform:${milliseconds.toFixed(3)}|ms|${tags}`
    );
    if (packet.length >= LINES_PER_PACKET) {
      packets.push(Buffer.from(packet.join('\n')));
      packet = [];
    }
  }
  if (packet.length > 0) {
    packets.push(Buffer.from(packet.join('\n')));
  }
  return packets;
}
