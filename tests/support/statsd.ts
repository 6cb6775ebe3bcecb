import type { StatsdIntake } from '../../pkg/statsd/intake';

/** Hands a packet to an intake, as a receiver does. */
export function sendPacket(
  statsd: Pick<StatsdIntake, 'receive'>,
  packet: string,
  now: number
): ReturnType<StatsdIntake['receive']> {
  return statsd.receive(Buffer.from(packet), now);
}
