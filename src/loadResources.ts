import type { ResourceLoader, Resources } from '@grafana/i18n';

/** The texts of a language, for Grafana before 12.1, which does not load those of plugins. */
export const loadResources: ResourceLoader = async (language) => {
  try {
    const texts = (await import(`./locales/${language}/jobwatch-sidekiq-datasource.json`)) as { default: Resources };
    return texts.default;
  } catch {
    // The plugin has no texts in this language: the English ones of the source are shown.
    return {};
  }
};
