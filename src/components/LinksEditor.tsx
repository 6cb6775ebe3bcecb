import { Field, Input, RadioButtonGroup } from '@grafana/ui';
import { LINKED } from '../../pkg/settings/links';
import type { SidekiqOptions } from '../types';
import { RowsEditor } from './RowsEditor';

type Links = NonNullable<SidekiqOptions['links']>;

const CHOICES = LINKED.map((value) => ({ value, label: value }));

interface Props {
  links: Links;
  onChange: (links: Links) => void;
}

/** Links on values of tables: to logs, traces, an error tracker. */
export function LinksEditor({ links, onChange }: Props) {
  return (
    <RowsEditor
      rows={links}
      onChange={onChange}
      nameOf={({ title }) => title}
      add={{ label: 'Link', row: { title: 'Logs', on: 'jid' as const, url: 'https://logs.example.com/?q={value}' } }}
      fields={(link, replace) => (
        <>
          <Field label="Title" noMargin>
            <Input
              width={20}
              value={link.title}
              onChange={({ currentTarget }) => replace({ title: currentTarget.value })}
            />
          </Field>
          <Field label="On" noMargin>
            <RadioButtonGroup options={CHOICES} value={link.on} onChange={(on) => replace({ on })} />
          </Field>
          <Field label="Address, with {value}" noMargin>
            <Input
              width={50}
              value={link.url}
              onChange={({ currentTarget }) => replace({ url: currentTarget.value })}
            />
          </Field>
        </>
      )}
    />
  );
}
