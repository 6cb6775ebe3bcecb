import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';

/** A socket without a network: what was written, and a way to say what Redis answers. */
export class RedisSocket extends EventEmitter {
  readonly written: string[] = [];
  destroyed = false;

  write(bytes: Buffer): boolean {
    this.written.push(bytes.toString());
    return true;
  }

  destroy(): void {
    this.destroyed = true;
  }

  answer(text: string): void {
    this.emit('data', Buffer.from(text));
  }

  asSocket(): Socket {
    return this as unknown as Socket;
  }
}
