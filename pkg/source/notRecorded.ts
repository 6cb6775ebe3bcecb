import { Fault } from '../faults/fault';

/** The past is asked for something that no recording holds. It is answered by an empty table that says so. */
export class NotRecorded extends Fault {
  /** @param before the last recorded instant before what was asked for, epoch seconds; `null` where there is none, or it is not known */
  constructor(
    message: string,
    remedy: string,
    readonly before: number | null = null
  ) {
    super({ kind: 'data', message, remedy });
  }
}
