import { MultiCombobox, type ComboboxOption } from '@grafana/ui';
import { useLayoutEffect, useRef } from 'react';

interface Props<T extends string> {
  /** The label of a QueryField around names the input by it. */
  id: string;
  width: number;
  placeholder?: string;
  options: Array<ComboboxOption<T>>;
  value: T[];
  onChange: (values: T[]) => void;
}

/** A choice of several values. Grafana's MultiCombobox takes no id, so that no label could name its input. */
export function MultiChoice<T extends string>({ id, onChange, ...rest }: Props<T>) {
  const frame = useRef<HTMLSpanElement>(null);
  useLayoutEffect(() => {
    const input = frame.current?.querySelector('input');
    if (input) {
      input.id = id;
    }
  });
  return (
    <span ref={frame}>
      <MultiCombobox<T> {...rest} onChange={(chosen) => onChange(chosen.map(({ value }) => value))} />
    </span>
  );
}
