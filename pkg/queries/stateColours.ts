/** The colours of the states, as Grafana's value mappings. */
export const STATE_COLOURS = [
  {
    type: 'value',
    options: {
      unserved: { text: 'unserved', color: 'red', index: 0 },
      starved: { text: 'starved', color: 'orange', index: 1 },
      late: { text: 'late', color: 'red', index: 2 },
      paused: { text: 'paused', color: 'blue', index: 3 },
      unknown: { text: 'unknown', color: 'text', index: 4 },
      ok: { text: 'ok', color: 'green', index: 5 },
    },
  },
];
