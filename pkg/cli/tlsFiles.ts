import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Fault } from '../faults/fault';

/** Flags that name files. */
export interface TlsFlags {
  tlsCertFile?: string;
  tlsKeyFile?: string;
}

/** Certificate and key in PEM, `undefined` where none are named. @throws Fault `settings` naming the flag */
export function readTls({ tlsCertFile, tlsKeyFile }: TlsFlags): { cert: string; key: string } | undefined {
  if (!tlsCertFile && !tlsKeyFile) {
    return undefined;
  }
  if (!tlsCertFile || !tlsKeyFile) {
    throw new Fault({
      kind: 'settings',
      message: 'Only one of --tls-cert-file and --tls-key-file is given.',
      remedy: 'Give both, or none for plain HTTP.',
    });
  }
  const cert = readPem('--tls-cert-file', tlsCertFile);
  const key = readPem('--tls-key-file', tlsKeyFile);
  const certificate = parsed('--tls-cert-file', tlsCertFile, 'a certificate', () => new X509Certificate(cert));
  const privateKey = parsed('--tls-key-file', tlsKeyFile, 'a private key', () => createPrivateKey(key));
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new Fault({
      kind: 'settings',
      message: `The key of --tls-key-file, ${tlsKeyFile}, does not belong to the certificate of --tls-cert-file, ${tlsCertFile}.`,
      remedy: 'Give the two files that were made together.',
    });
  }
  return { cert, key };
}

function parsed<T>(flag: string, path: string, what: string, parse: () => T): T {
  try {
    return parse();
  } catch {
    throw new Fault({
      kind: 'settings',
      message: `The file of ${flag}, ${path}, does not hold ${what}.`,
      remedy: 'Give a PEM file without a passphrase.',
    });
  }
}

function readPem(flag: string, path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new Fault({
      kind: 'settings',
      message: `The file of ${flag}, ${path}, cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}.`,
      remedy: 'Check the path and its permissions.',
      cause: error,
    });
  }
  if (!/-----BEGIN [A-Z ]+-----/.test(text)) {
    throw new Fault({
      kind: 'settings',
      message: `The file of ${flag}, ${path}, holds no PEM.`,
      remedy: 'Give a file that begins with -----BEGIN.',
    });
  }
  return text;
}
