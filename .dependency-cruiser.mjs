/** The arrows between folders: Redis → parts → snapshot → observers → state → views. CONTRIBUTING.md draws them. */

/** Folders of pkg/ in layers, lowest first; a folder may import from the layers below its own. */
export const LAYERS = [
  ['faults', 'version', 'log', 'turns', 'grpc', 'engine'],
  ['settings', 'redis'],
  ['sidekiq'],
  ['observe', 'statsd'],
  ['series'],
  ['outlook'],
  ['watch', 'findings'],
  ['source'],
  ['recording'],
  ['installation'],
  ['frames', 'whatif'],
  ['queries', 'metrics'],
  ['web', 'keda', 'alerting', 'notify', 'report', 'mcp', 'otlp'],
  ['listeners'],
  ['plugin', 'cli'],
];

const layerRules = LAYERS.map((folders, index) => ({
  name: `nothing-above-${folders.join('-')}`,
  comment: 'Data flows one way; a lower layer knows nothing of a higher one.',
  severity: 'error',
  from: { path: `^pkg/(${folders.join('|')})(/|\\.ts$)` },
  to: {
    path: `^pkg/(${
      LAYERS.slice(index + 1)
        .flat()
        .join('|') || 'none'
    })(/|\\.ts$)`,
  },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...layerRules,
    {
      name: 'no-circle',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'views-never-talk-to-redis',
      severity: 'error',
      from: { path: '^pkg/(queries|metrics|web|keda|listeners|plugin|frames|series|observe)/' },
      to: { path: '^pkg/redis/|node_modules/ioredis', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'views-know-sources-only',
      comment: 'A view answers from any source: an installation, a recording.',
      severity: 'error',
      from: { path: '^pkg/(queries|metrics|web|keda|alerting|notify|report|mcp|otlp|whatif|frames)/' },
      to: { path: '^pkg/(installation|recording)/' },
    },
    {
      name: 'the-fold-knows-neither-redis-nor-a-store',
      severity: 'error',
      from: { path: '^pkg/(observe|watch)/' },
      to: { path: '^pkg/(redis|series|recording|installation)/' },
    },
    {
      name: 'only-the-wire-knows-ioredis',
      severity: 'error',
      from: { path: '^pkg/', pathNot: '^pkg/(redis|simulator|cli/demo)' },
      to: { path: 'node_modules/ioredis' },
    },
    {
      name: 'only-the-plugin-knows-grafana',
      severity: 'error',
      from: { path: '^pkg/', pathNot: '^pkg/(plugin|keda|grpc|frames)/' },
      to: { path: 'node_modules/(@grafana|@grpc|apache-arrow|protobufjs)' },
    },
    {
      name: 'simulator-stands-alone',
      severity: 'error',
      from: { path: '^pkg/', pathNot: '^pkg/(simulator|cli)/' },
      to: { path: '^pkg/simulator/' },
    },
    {
      name: 'frontend-imports-types-and-models-only',
      severity: 'error',
      from: { path: '^src/' },
      to: {
        path: '^pkg/',
        pathNot:
          '(filterModel|queries/queryText|redis/acl|settings/(endpoint|lago|links|model|workerTypes)|figures|queries/version)',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'tests-are-not-imported',
      severity: 'error',
      from: { path: '^(pkg|src|dashboards)/' },
      to: { path: '^(tests|scripts)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
