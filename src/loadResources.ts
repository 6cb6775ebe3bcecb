import type { ResourceLoader, Resources } from '@grafana/i18n';

/** Who loads the plugin's texts: Grafana itself since 12.1, else this loader. @param version of Grafana */
export function loadersFor(version: string): ResourceLoader[] {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 12 || (major === 12 && minor >= 1) ? [] : [loadResources];
}

const loadResources: ResourceLoader = async (language) => {
  try {
    const texts = (await import(`./locales/${language}/jobwatch-sidekiq-datasource.json`)) as { default: Resources };
    return texts.default;
  } catch {
    // The plugin has no texts in this language: the English ones of the source are shown.
    return {};
  }
};
