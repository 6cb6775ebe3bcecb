/** An instant (epoch seconds) as it is told to people: `2026-11-27 03:59:58 UTC`. */
export function instantText(at: number): string {
  return `${new Date(at * 1000).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
