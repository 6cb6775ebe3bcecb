import { Fault } from '../faults/fault';

/** The past is asked for something that no recording holds. It is answered by an empty table that says so. */
export class NotRecorded extends Fault {
  constructor(message: string, remedy: string) {
    super({ kind: 'data', message, remedy });
  }
}
