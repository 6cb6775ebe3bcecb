import { version } from '../package.json';

/** The product's version; package.json is the one place that holds it. */
export const VERSION: string = version;
