/** Watches how late the event loop is. */
export function watchStalls(): { end: () => number } {
  let before = performance.now();
  let longest = 0;
  const look = () => {
    longest = Math.max(longest, performance.now() - before - 1);
    before = performance.now();
  };
  const timer = setInterval(look, 1);
  return {
    /** Ends the watch. @returns milliseconds by which it was late at most, work up to now included */
    end() {
      clearInterval(timer);
      look();
      return longest;
    },
  };
}
