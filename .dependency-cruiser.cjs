// Import directions, as errors. Rooms, lowest first; an import may point down this list, never up:
// base <- facts <- middle rooms <- store, door <- protocols, api, jobs <- server <- cli

const MIDDLE =
  '(ledger|lineage|tracking|registry|quality|predictions|traces|evaluation|review|webhooks|imports|blobs|contract)';
const PROJECTIONS =
  '(lineage|tracking|registry|quality|predictions|traces|evaluation|review|webhooks|imports)';
const TEST = '[.]test[.]ts$|^src/testing/|-suite[.]ts$';
const NODE_BUILTIN = { dependencyTypes: ['core'] };

/** Forbids `room` to import anything in src but itself and the rooms in `below`. */
function only({ name, comment, room, below, except = TEST }) {
  return {
    name,
    comment,
    severity: 'error',
    from: { path: `^src/${room}/`, pathNot: except },
    to: { path: '^src/', pathNot: [`^src/${room}/`, ...below.map((one) => `^src/${one}/`)] },
  };
}

const directions = [
  only({
    name: 'base-imports-nothing',
    comment: 'base is the ground floor: errors, limits, clock, digests. It knows no other room.',
    room: 'base',
    below: [],
  }),
  only({
    name: 'facts-import-base-only',
    comment: 'facts are the shared vocabulary; every room depends on them, so they stay light.',
    room: 'facts',
    below: ['base'],
  }),
  only({
    name: 'middle-rooms-point-down',
    comment:
      'The rooms of the middle declare the stores they need; they never see who provides them.',
    room: MIDDLE,
    below: ['base', 'facts', MIDDLE],
  }),
  only({
    name: 'store-points-down',
    comment: 'A store implements what the middle rooms declare. It does not see the door.',
    room: 'store',
    below: ['base', 'facts', MIDDLE],
  }),
  only({
    name: 'door-points-down',
    comment: 'The door writes through interfaces; server/compose hands it a store.',
    room: 'door',
    below: ['base', 'facts', MIDDLE],
  }),
  only({
    name: 'protocols-point-down',
    comment: 'A protocol talks to the door and to queries; never to our own API, jobs or server.',
    room: 'protocols',
    below: ['base', 'facts', MIDDLE, 'store', 'door'],
  }),
  only({
    name: 'api-points-down',
    comment: 'Our own routes talk to the door and to queries; never to protocols, jobs or server.',
    room: 'api',
    below: ['base', 'facts', MIDDLE, 'store', 'door'],
  }),
  only({
    name: 'jobs-point-down',
    comment:
      'Jobs work through the door like everybody else; never through protocols, API or server.',
    room: 'jobs',
    below: ['base', 'facts', MIDDLE, 'store', 'door'],
  }),
  only({
    name: 'server-points-down',
    comment: 'The composition root builds everything but does not know that there is a CLI.',
    room: 'server',
    below: ['base', 'facts', MIDDLE, 'store', 'door', 'protocols', 'api', 'jobs'],
  }),
  only({
    name: 'client-sees-contract-only',
    comment: 'The SDK is fetch and contract types: it must run where the server cannot.',
    room: 'client',
    below: ['contract'],
  }),
  {
    name: 'web-sees-contract-and-client-only',
    comment:
      'The browser gets contract types and the client, so no server code reaches the bundle.',
    severity: 'error',
    from: { path: '^web/' },
    to: { path: '^(src|scripts|bench|e2e)/', pathNot: '^src/(contract|client)/' },
  },
  {
    name: 'src-stays-inside-src',
    comment:
      'What is published cannot depend on scripts, benchmarks, browser tests or the web app.',
    severity: 'error',
    from: { path: '^src/' },
    to: { path: '^(scripts|bench|e2e|web)/' },
  },
  {
    name: 'testing-is-for-tests',
    comment: 'src/testing is not shipped; only tests, suites and itself may import it.',
    severity: 'error',
    from: { path: '^src/', pathNot: TEST },
    to: { path: '^src/testing/' },
  },
  {
    name: 'tests-stay-near',
    comment: 'A test that needs the CLI belongs to cli; other rooms test themselves or the server.',
    severity: 'error',
    from: { path: '^src/(?!cli/).*[.]test[.]ts$' },
    to: { path: '^src/cli/' },
  },
];

const siblings = [
  {
    name: 'ledger-blobs-contract-stand-alone',
    comment: 'Ledger, blobs and contract serve everybody, so they import no other middle room.',
    severity: 'error',
    from: { path: '^src/(ledger|blobs|contract)/', pathNot: TEST },
    to: { path: `^src/${MIDDLE}/`, pathNot: '^src/$1/' },
  },
  {
    name: 'projections-meet-in-facts',
    comment: 'Projection rooms never import one another: what they share is a fact.',
    severity: 'error',
    from: { path: `^src/${PROJECTIONS}/`, pathNot: TEST },
    to: { path: `^src/${PROJECTIONS}/`, pathNot: '^src/$1/' },
  },
  {
    name: 'protocols-are-strangers',
    comment: 'One protocol folder never imports another: ten repeated lines beat a shared mapper.',
    severity: 'error',
    from: { path: '^src/protocols/([^/]+)/' },
    to: { path: '^src/protocols/[^/]+/', pathNot: '^src/protocols/$1/' },
  },
];

const borders = [
  {
    name: 'only-store-knows-databases',
    comment:
      'Database drivers are the business of store alone; a test may open a file to damage it.',
    severity: 'error',
    from: { path: '^src/', pathNot: ['^src/store/', TEST] },
    to: { path: '^(node:)?sqlite$|(^|node_modules/)(kysely|pg)(/|$)' },
  },
  {
    name: 'only-faces-know-fastify',
    comment: 'HTTP is known to protocols, api and server; everything inside works without it.',
    severity: 'error',
    from: { path: '^src/', pathNot: '^src/(protocols|api|server)/' },
    to: { path: 'node_modules/(fastify|@fastify)(/|$)' },
  },
  {
    name: 'pure-rooms-do-no-io',
    comment:
      'Facts, contract and translators are pure: the same payload gives the same facts, always.',
    severity: 'error',
    from: { path: '^src/(facts|contract)/|/translate[.]ts$', pathNot: TEST },
    to: NODE_BUILTIN,
  },
  {
    name: 'ground-rooms-only-hash',
    comment: 'base and the Merkle tree may hash (node:crypto) and do no other I/O.',
    severity: 'error',
    from: { path: '^src/base/|^src/ledger/merkle', pathNot: TEST },
    to: { ...NODE_BUILTIN, pathNot: '^(node:)?crypto$' },
  },
  {
    name: 'pure-rooms-know-no-framework',
    comment: 'The vocabulary, the tree and translators outlive any framework.',
    severity: 'error',
    from: { path: '^src/(base|facts|contract|ledger)/|/translate[.]ts$', pathNot: TEST },
    to: { path: 'node_modules/(fastify|@fastify|citty)(/|$)' },
  },
];

const hygiene = [
  {
    name: 'no-cycles',
    comment: 'A cycle means two files are one, or that one of them holds a third.',
    severity: 'error',
    from: {},
    to: { circular: true },
  },
  {
    name: 'no-orphans',
    comment:
      'A file that nothing imports is dead or misplaced; entry points and tests are neither.',
    severity: 'error',
    from: {
      orphan: true,
      path: '^src/',
      pathNot: [TEST, '^src/index[.]ts$', '^src/(cli/main|client/index)[.]ts$', '[.]d[.]ts$'],
    },
    to: {},
  },
  {
    name: 'no-unresolvable',
    comment: 'An import that cannot be resolved fails at run time.',
    severity: 'error',
    from: {},
    to: { couldNotResolve: true },
  },
  {
    name: 'no-dev-dependencies-in-src',
    comment: 'What src imports must be a dependency, or the published package breaks.',
    severity: 'error',
    from: { path: '^src/', pathNot: TEST },
    to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
  },
];

module.exports = {
  forbidden: [...directions, ...siblings, ...borders, ...hygiene],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|coverage|test-results|wherefrom-data|[.]venv|[.]demo|[.]git)(/|$)' },
    // Types count: a type import in the wrong direction is still knowledge of the wrong room.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.js', '.cjs', '.mjs', '.json'],
    },
  },
};
