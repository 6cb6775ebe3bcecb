import type { ResourceLoader, Resources } from '@grafana/i18n';

/** Loads the plugin's texts. Grafana does that itself since 12.1, and then gets the same ones twice. */
export const loadResources: ResourceLoader = async (language) => {
  try {
    const texts = (await import(`./locales/${language}/jobwatch-sidekiq-datasource.json`)) as { default: Resources };
    return texts.default;
  } catch {
    // The plugin has no texts in this language: the English ones of the source are shown.
    return {};
  }
};
