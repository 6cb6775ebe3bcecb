import { t } from '@grafana/i18n';
import { ConfigSection } from '@grafana/plugin-ui';
import { Field, Input, RadioButtonGroup } from '@grafana/ui';
import { LINKED } from '../../../pkg/settings/links';
import { RowsEditor } from './RowsEditor';
import { TextField, type Fields } from './SettingsFields';

const CHOICES = LINKED.map((value) => ({ value, label: value }));

/** Links on values of tables: to Sidekiq's Web UI, to logs, traces, an error tracker. */
export function LinksSection({ fields }: { fields: Fields }) {
  const { jsonData, set } = fields;
  return (
    <ConfigSection
      title={t('config.links.title', 'Links')}
      description={t('config.links.description', 'Additional links on table values.')}
      isCollapsible
      isInitiallyOpen={false}
    >
      <TextField
        {...fields}
        name="webUiUrl"
        label={t('config.webUiUrl.label', 'Address of Sidekiq’s Web UI')}
        description={t(
          'config.webUiUrl.description',
          'Queues, classes and jobs link to its pages, for actions such as retry and delete'
        )}
        example="https://shop.example.com/sidekiq"
      />
      <RowsEditor
        rows={jsonData.links ?? []}
        onChange={(links) => set({ links })}
        nameOf={({ title }) => title}
        add={{
          label: t('config.links.add', 'Link'),
          row: {
            title: t('config.links.logs', 'Logs'),
            on: 'jid' as const,
            url: 'https://logs.example.com/?q={value}',
          },
        }}
        fields={(link, replace) => (
          <>
            <Field label={t('config.links.linkTitle', 'Title')} noMargin>
              <Input
                width={20}
                value={link.title}
                onChange={({ currentTarget }) => replace({ title: currentTarget.value })}
              />
            </Field>
            <Field label={t('config.links.on', 'On')} noMargin>
              <RadioButtonGroup options={CHOICES} value={link.on} onChange={(on) => replace({ on })} />
            </Field>
            <Field label={t('config.links.address', 'Address, with {value}')} noMargin>
              <Input
                width={50}
                value={link.url}
                onChange={({ currentTarget }) => replace({ url: currentTarget.value })}
              />
            </Field>
          </>
        )}
      />
    </ConfigSection>
  );
}
