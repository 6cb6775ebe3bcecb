import { createElement, Fragment, type ElementType, type Key } from 'react';

/**
 * React's automatic JSX runtime by means of `createElement`, which every React has. Grafana shares `react/jsx-runtime`
 * with plugins since 12.3 only, and a bundled one is of one React: it fails in a Grafana with another.
 */
export function jsx(type: ElementType, props: Record<string, unknown>, key?: Key) {
  return createElement(type, key === undefined ? props : { ...props, key });
}

export { jsx as jsxs, Fragment };
