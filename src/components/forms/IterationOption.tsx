import { t } from '@grafana/i18n';
import { ShownOption } from './ShownOption';

interface Props {
  id: string;
  value: boolean | undefined;
  onChange: (value: boolean) => void;
}

/** Whether the state of IterableJobs is shown. */
export function IterationOption(props: Props) {
  return (
    <ShownOption
      {...props}
      label={t('forms.iteration.label', 'Iteration')}
      help={t('forms.iteration.help', 'Cursor and executions of IterableJobs. One read more.')}
    />
  );
}
