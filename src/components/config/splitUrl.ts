/** A Redis URL with its credentials apart. */
interface SplitUrl {
  url: string;
  user?: string;
  password?: string;
}

const WITH_CREDENTIALS = /^([a-z]+:\/\/)([^/?#@]*)@(.*)$/is;

/**
 * Takes user and password out of a Redis URL: Grafana encrypts a password in its own field, but shows the URL to everyone
 * who may see the data source. As Sidekiq's client reads it, a user without a password is the password.
 *
 * @returns `undefined` where there is nothing to take out, or it cannot be decoded
 */
export function splitUrl(url: string): SplitUrl | undefined {
  const [, scheme, credentials = '', rest = ''] = WITH_CREDENTIALS.exec(url) ?? [];
  if (scheme === undefined) {
    return undefined;
  }
  const colon = credentials.indexOf(':');
  try {
    const decode = (text: string) => decodeURIComponent(text.replaceAll('+', ' '));
    const [user, password] =
      colon < 0
        ? ['', decode(credentials)]
        : [decode(credentials.slice(0, colon)), decode(credentials.slice(colon + 1))];
    return { url: `${scheme}${rest}`, ...(user !== '' && { user }), ...(password !== '' && { password }) };
  } catch {
    return undefined;
  }
}
