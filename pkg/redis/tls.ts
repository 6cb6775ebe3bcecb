import type { ConnectionOptions } from 'node:tls';
import type { Settings } from '../settings/settings';

/** TLS as the settings want it. */
export function tlsOptions({ options, secrets }: Settings): ConnectionOptions {
  return {
    rejectUnauthorized: !options.tlsSkipVerify,
    ...(options.tlsServerName && { servername: options.tlsServerName }),
    ...(secrets.tlsCaCert && { ca: secrets.tlsCaCert }),
    ...(secrets.tlsClientCert && { cert: secrets.tlsClientCert }),
    ...(secrets.tlsClientKey && { key: secrets.tlsClientKey }),
  };
}
