import type { ReadOnlyRedis } from '../redis/readOnlyRedis';
import type { Listed, Notice } from './model';
import type { MembersPage } from './parts/members';
import { addCosts, Trip, valueOf, warning, type Part, type Read } from './parts/part';

/** Pages of a set's members at most: a million names. */
const PAGES = 200;

/** Reads the further pages of sets that are larger than one, and adds up what that took. */
export class Pages {
  readonly notices: Notice[] = [];
  cost = { roundTrips: 0, commands: 0, bytesIn: 0, milliseconds: 0 };

  constructor(
    private readonly redis: ReadOnlyRedis,
    private readonly signal?: AbortSignal
  ) {}

  /**
   * @returns all members, SSCAN may repeat some; not whole where the first page was refused or the set is too large
   * @throws Fault where a further page is refused
   */
  async rest(
    part: Part<{ key: string; cursor: string }, MembersPage>,
    key: string,
    first: Read<MembersPage>
  ): Promise<Listed<string>> {
    if (!first.ok) {
      return { items: [], whole: false };
    }
    const members = new Set(first.value.members);
    let { cursor } = first.value;
    for (let page = 1; cursor !== '0'; page += 1) {
      if (page >= PAGES) {
        this.notices.push(warning(`The set ${key} has more members than Jobwatch reads; ${members.size} were read.`));
        return { items: [...members], whole: false };
      }
      const trip = new Trip();
      const ticket = trip.ask(part, { key, cursor });
      const brought = await trip.go(this.redis, this.signal);
      this.cost = addCosts(this.cost, brought.cost);
      // A trip of one part throws where that is refused.
      const next = valueOf(brought.read(ticket))!;
      next.members.forEach((member) => members.add(member));
      cursor = next.cursor;
    }
    return { items: [...members], whole: true };
  }
}
