import { MultiCombobox, useTheme2, type ComboboxOption } from '@grafana/ui';
import { useLayoutEffect, useRef } from 'react';

interface Props<T extends string> {
  /** The label of a QueryField around names the input by it. */
  id: string;
  /** In steps of 8 pixels. */
  width: number;
  placeholder?: string;
  options: Array<ComboboxOption<T>>;
  value: T[];
  onChange: (values: T[]) => void;
}

/**
 * A choice of several values. Grafana's MultiCombobox takes no id, so that no label could name its input, and it takes a width
 * of its own for pixels when it counts which of the chosen fit.
 */
export function MultiChoice<T extends string>({ id, width, onChange, ...rest }: Props<T>) {
  const theme = useTheme2();
  const frame = useRef<HTMLSpanElement>(null);
  useLayoutEffect(() => {
    const input = frame.current?.querySelector('input');
    if (input) {
      input.id = id;
    }
  });
  return (
    <span ref={frame} style={{ display: 'block', width: theme.spacing(width), maxWidth: '100%' }}>
      <MultiCombobox<T> {...rest} onChange={(chosen) => onChange(chosen.map(({ value }) => value))} />
    </span>
  );
}
