/** Script and style of the page, put in by scripts/build-backend.ts; there are none when run from the sources. */
declare const WEB_ASSETS: { script: string; style: string } | undefined;

const assets = typeof WEB_ASSETS === 'undefined' ? { script: '', style: '' } : WEB_ASSETS;

/** Nothing but the page's own files is loaded, and nobody may frame it. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export interface Asset {
  contentType: string;
  body: string;
}

/** Headers of everything that belongs to the page. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': POLICY,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
};

/** The files of the page by path. */
export const PAGE_FILES: ReadonlyMap<string, Asset> = new Map([
  ['/', { contentType: 'text/html; charset=utf-8', body: shell() }],
  ['/page.js', { contentType: 'text/javascript; charset=utf-8', body: assets.script }],
  ['/page.css', { contentType: 'text/css; charset=utf-8', body: assets.style }],
]);

function shell(): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Jobwatch for Sidekiq</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="page.css">
</head>
<body>
<header>
<h1>Jobwatch for Sidekiq</h1>
<p id="health" role="status">${assets.script === '' ? 'The page needs the built executable; run npm run build:backend.' : 'Reading Redis …'}</p>
<p id="receiver"></p>
<nav><a href="metrics">Metrics</a> <a href="-/ready">Ready</a> <a href="sd">Targets</a></nav>
</header>
<main id="page"></main>
<noscript><p>The page is drawn by its script; the figures are also at <a href="metrics">/metrics</a>.</p></noscript>
<script src="page.js" defer></script>
</body>
</html>
`;
}
