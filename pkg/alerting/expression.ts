import jsep from 'jsep';
import { Fault } from '../faults/fault';

/** A number with what it is of; `null` where the figure is not known. */
export interface Labelled {
  labels: Readonly<Record<string, string>>;
  value: number | null;
}

type Node = jsep.CoreExpression;

const OPERATORS: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
  '>': (a, b) => Number(a > b),
  '>=': (a, b) => Number(a >= b),
  '<': (a, b) => Number(a < b),
  '<=': (a, b) => Number(a <= b),
  '==': (a, b) => Number(a === b),
  '!=': (a, b) => Number(a !== b),
  '&&': (a, b) => Number(a !== 0 && b !== 0),
  '||': (a, b) => Number(a !== 0 || b !== 0),
};

/**
 * Reads a math expression of Grafana's alert rules, such as `$A > 0 && $B == 0`
 * (https://grafana.com/docs/grafana/latest/panels-visualizations/query-transform-data/expression-queries/).
 *
 * @returns the names of its queries, and how it is evaluated over their numbers; `null` where a query has no data
 * @throws Fault `query` where it cannot be read
 */
export function parseExpression(text: string): {
  names: string[];
  evaluate(numbers: ReadonlyMap<string, readonly Labelled[]>): Labelled[] | null;
} {
  let tree: Node;
  try {
    tree = jsep(text) as Node;
    check(tree, text);
  } catch (error) {
    throw error instanceof Fault ? error : unreadable(text, (error as Error).message);
  }
  const names = new Set<string>();
  collect(tree, names);
  return { names: [...names], evaluate: (numbers) => evaluate(tree, numbers) };
}

function unreadable(text: string, why: string): Fault {
  return new Fault({
    kind: 'query',
    message: `The expression "${text}" cannot be read: ${why}.`,
    remedy: 'Use numbers, the queries $A, $B, …, comparison, arithmetic, && and ||.',
  });
}

function check(node: Node, text: string): void {
  switch (node.type) {
    case 'BinaryExpression':
      if (!Object.hasOwn(OPERATORS, node.operator)) {
        throw unreadable(text, `there is no operator ${node.operator}`);
      }
      check(node.left as Node, text);
      check(node.right as Node, text);
      return;
    case 'UnaryExpression':
      if (node.operator !== '-' && node.operator !== '!') {
        throw unreadable(text, `there is no operator ${node.operator}`);
      }
      check(node.argument as Node, text);
      return;
    case 'Identifier':
      if (!/^\$[A-Z]$/.test(node.name)) {
        throw unreadable(text, `there is no query ${node.name}`);
      }
      return;
    case 'Literal':
      if (typeof node.value === 'number') {
        return;
      }
      throw unreadable(text, `${node.raw} is no number`);
    default:
      throw unreadable(text, `${node.type} is not known`);
  }
}

function collect(node: Node, names: Set<string>): void {
  if (node.type === 'Identifier') {
    names.add(node.name.slice(1));
  } else if (node.type === 'BinaryExpression') {
    collect(node.left as Node, names);
    collect(node.right as Node, names);
  } else if (node.type === 'UnaryExpression') {
    collect(node.argument as Node, names);
  }
}

function evaluate(node: Node, numbers: ReadonlyMap<string, readonly Labelled[]>): Labelled[] | null {
  switch (node.type) {
    case 'Identifier': {
      const found = numbers.get(node.name.slice(1)) ?? [];
      return found.length === 0 ? null : [...found];
    }
    case 'UnaryExpression': {
      const argument = evaluate(node.argument as Node, numbers);
      const apply = node.operator === '-' ? (a: number) => -a : (a: number) => Number(a === 0);
      return argument && argument.map(({ labels, value }) => ({ labels, value: value === null ? null : apply(value) }));
    }
    case 'BinaryExpression': {
      const left = evaluate(node.left as Node, numbers);
      const right = evaluate(node.right as Node, numbers);
      return left && right && joined(left, right, OPERATORS[node.operator]!);
    }
    default:
      return [{ labels: {}, value: node.type === 'Literal' ? Number(node.value) : null }];
  }
}

/** Pairs numbers whose labels are the same, or of which one has those of the other and more (Grafana, `union`). */
function joined(
  left: readonly Labelled[],
  right: readonly Labelled[],
  apply: (a: number, b: number) => number
): Labelled[] {
  const pairs = left.flatMap((a) =>
    right.flatMap((b) => {
      const labels = contains(a.labels, b.labels) ? a.labels : contains(b.labels, a.labels) ? b.labels : null;
      return labels === null ? [] : [{ labels, a: a.value, b: b.value }];
    })
  );
  const all =
    pairs.length === 0 && left.length === 1 && right.length === 1
      ? [{ labels: left[0]!.labels, a: left[0]!.value, b: right[0]!.value }]
      : pairs;
  return all.map(({ labels, a, b }) => ({ labels, value: a === null || b === null ? null : apply(a, b) }));
}

function contains(all: Labelled['labels'], some: Labelled['labels']): boolean {
  return Object.entries(some).every(([name, value]) => all[name] === value);
}
