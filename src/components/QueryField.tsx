import { css } from '@emotion/css';
import { EditorField } from '@grafana/plugin-ui';
import { Icon, Tooltip } from '@grafana/ui';
import { forwardRef, useLayoutEffect, type ComponentProps, type HTMLAttributes, type ReactElement } from 'react';

interface Props {
  label: string;
  /** One sentence, shown where the pointer is on the label. */
  help: string;
  /** What is wrong with the value; a sentence. */
  problem?: string | undefined;
  /** An input with an `id`. */
  children: ReactElement;
}

/** A pane of a split Explore is narrower than some inputs are wide. The margin is EditorField's own. */
const NARROW = css({ marginBottom: 0, maxWidth: '100%', '& > div, & > span, & > div > div': { maxWidth: '100%' } });

/**
 * A field of a query form. Its help hangs on the label: the icon of EditorField would be a tab stop of its own before
 * each input.
 */
export function QueryField({ label, help, problem, children }: Props) {
  const { id } = children.props as { id: string };
  // Whoever cannot point at the label is told by the input: not every one takes a description.
  useLayoutEffect(() => document.getElementById(id)?.setAttribute('aria-description', help));
  const title = (
    <Tooltip content={help} placement="top">
      <LabelText label={label} />
    </Tooltip>
  );
  return (
    <EditorField
      // Its type says text; it shows what any label may be.
      label={title as unknown as ComponentProps<typeof EditorField>['label']}
      className={NARROW}
      invalid={problem !== undefined}
      error={problem}
    >
      {children}
    </EditorField>
  );
}

/** Grafana's tooltip makes what it hangs on a tab stop; a label is none. */
const LabelText = forwardRef<HTMLSpanElement, HTMLAttributes<HTMLSpanElement> & { label: string }>(function LabelText(
  { label, tabIndex: _, ...rest },
  ref
) {
  return (
    <span ref={ref} {...rest}>
      {label} <Icon name="info-circle" size="xs" />
    </span>
  );
});
