/**
 * The rules of the house, whose tree is the path of an event: receive -> inbox -> deliver, with source and handlers
 * beside them. Type imports count as imports: a ring that hides in types is a ring. `test/house.test.ts` breaks
 * every rule once.
 */

// The vocabulary that everybody shares.
const words =
  '^src/(event|errors|error-text|channels|log|not-begun|option-rules|check-secrets|value-text|visible|timers)\\.ts$'
// A folder whose first file repeats its name is a plug: that file is its contract.
const contracts = '^src/(source/source|inbox/inbox)\\.ts$'
// What callers pass to an inbox is checked in one place, which every engine calls.
const border = '^src/inbox/check\\.ts$'
const provider = '^src/source/digital-river/index\\.ts$'
const everything = '^src/'

/** A rule that lets `from` import, within src, only `allowed`. */
const only = (name, comment, from, allowed) => ({
  name,
  comment,
  severity: 'error',
  from: typeof from === 'string' ? { path: from } : from,
  to: { path: everything, pathNot: allowed }
})

/** A rule that forbids `from` to import `to`. */
const never = (name, comment, from, to) => ({
  name,
  comment,
  severity: 'error',
  from: typeof from === 'string' ? { path: from } : from,
  to: typeof to === 'string' ? { path: to } : to
})

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    // 1
    never('no-ring', 'Files in a ring can only be read, tested and changed together.', {}, { circular: true }),
    // 2
    only('words-import-only-words', 'Everybody imports the words, so whatever they import, everybody would.', words, [
      words
    ]),
    // 3
    only(
      'contracts-import-only-words',
      'A contract that knows an implementation, or the core, cannot be kept by a stranger.',
      contracts,
      [words]
    ),
    // 4
    only(
      'implementations-know-no-sister',
      'An engine or provider can be removed, or added, without another one noticing.',
      { path: '^src/(inbox|source)/([^/.-]+)', pathNot: contracts },
      [words, border, '^src/$1/$1\\.ts$', '^src/$1/$2']
    ),
    // 5
    never(
      'engines-and-providers-are-named-by-plugin-and-index-alone',
      'Who else names one ties the core to it; the core knows contracts.',
      {
        path: everything,
        pathNot: ['^src/(plugin|open-inbox|index)\\.ts$', '^src/(inbox|source)/', '^src/(cli|testing)/']
      },
      { path: '^src/(inbox|source)/', pathNot: [contracts, '^src/inbox/recorder\\.ts$'] }
    ),
    // 6
    never(
      'receive-deliver-and-manage-meet-in-the-inbox',
      'An import between them would be a second way for an event, one that no crash test walks.',
      '^src/(receive|deliver|manage)/',
      { path: '^src/(receive|deliver|manage)/', pathNot: '^src/$1/' }
    ),
    // 7
    never(
      'nothing-below-imports-plugin-or-index',
      'The composition root and the barrel import everything: a part that imports them imports everything too.',
      { path: everything, pathNot: ['^src/index\\.ts$', '^src/(server|cli|testing)/'] },
      '^src/(plugin|index)\\.ts$'
    ),
    never(
      'nothing-below-imports-a-program',
      'server, cli and testing stand on top of the package; the package works without them.',
      { path: everything, pathNot: '^src/(server|cli|testing)/' },
      '^src/(server|cli|testing)/'
    ),
    // 8
    only(
      'handlers-know-words-only',
      'The registry says who is to be told; it must not depend on how, where or when.',
      '^src/handlers/',
      [words, '^src/handlers/']
    ),
    // 9
    only('server-uses-the-public-surface', 'What the server lacks in index.ts, users lack.', '^src/server/', [
      '^src/index\\.ts$',
      '^src/server/'
    ]),
    only('cli-uses-the-public-surface', 'What the commands lack in index.ts, users lack.', '^src/cli/', [
      '^src/(index|runtime)\\.ts$',
      '^src/testing/index\\.ts$',
      '^src/(cli|server)/',
      provider
    ]),
    only('testing-uses-the-public-surface', 'What the test kit lacks in index.ts, users lack.', '^src/testing/', [
      '^src/index\\.ts$',
      '^src/testing/',
      provider
    ]),
    // 10
    never(
      'the-core-never-imports-fastify',
      'Only the edge speaks HTTP: the rest must run, and be tested, without a server.',
      '^src/(deliver|handlers|inbox|source|manage)/',
      '(^|node_modules/)(@fastify/|fastify(-plugin)?($|/))'
    ),

    // The table of the folders, where it is narrower than the ten.
    only(
      'options-import-only-words',
      'Every setting once, in one place that can be read alone.',
      '^src/options\\.ts$',
      [words]
    ),
    only(
      'receive-sees-contracts-only',
      'BYTES -> EVENT: it hands an arrival to the recorder and knows no engine.',
      '^src/receive/',
      [words, contracts, '^src/receive/', '^src/handlers/', '^src/inbox/recorder\\.ts$']
    ),
    never(
      'authentication-never-reaches-inbox-or-handlers',
      'Who may come in depends on the request and the configuration: nothing is kept or run before that is settled.',
      '^src/receive/authenticate\\.ts$',
      { path: '^src/(inbox|handlers)/', reachable: true }
    ),
    only(
      'reply-knows-words-and-contracts-only',
      'The one table of answers depends on codes and results, and on nothing else.',
      '^src/receive/reply\\.ts$',
      [words, contracts]
    ),
    only('deliver-sees-contracts-only', 'STORED DELIVERY -> OUTCOME: it works out of any inbox.', '^src/deliver/', [
      words,
      '^src/deliver/',
      '^src/inbox/inbox\\.ts$',
      '^src/handlers/registry\\.ts$'
    ]),
    only(
      'manage-sees-contracts-only',
      'Registration and backfill work with any provider and any inbox.',
      '^src/manage/',
      [words, contracts, '^src/manage/', '^src/inbox/recorder\\.ts$', '^src/handlers/registry\\.ts$']
    ),
    never(
      'folders-share-types-not-values',
      'What runs is handed over by the composition root, so that each part can be run with another one.',
      '^src/(receive|deliver|manage)/',
      { path: '^src/(inbox|handlers|source)/', dependencyTypesNot: ['type-only'] }
    ),

    // What a start costs.
    never(
      'no-start-loads-typebox',
      'It is 373 modules. Only types are imported from what is written in it; the schemas are in schemas.json (npm run schemas).',
      '^src/(?!source/digital-river/(resources/|api/models\\.ts$))',
      {
        path: ['^src/source/digital-river/(resources/|api/models\\.ts$)', 'typebox'],
        dependencyTypesNot: ['type-only']
      }
    ),
    never(
      'no-start-imports-http',
      'Imported as a module it loads all of fetch with it: process.getBuiltinModule does not.',
      everything,
      { path: '^(node:)?https?$', dependencyTypesNot: ['type-only'] }
    ),

    // What is published.
    never('no-test-in-the-package', 'Tests and examples are not published.', everything, '^(test|examples)/'),
    // A peer is a dev dependency, too: the clone itself needs it.
    never('no-dev-dependency-in-the-package', 'It would be missing where the package is installed.', everything, {
      dependencyTypes: ['npm-dev'],
      dependencyTypesNot: ['type-only', 'npm-peer']
    }),
    never('no-undeclared-dependency', 'It is there by luck, and gone with the next install.', everything, {
      dependencyTypes: ['npm-no-pkg', 'npm-unknown']
    }),
    never('nothing-unresolvable', 'It would fail at the first import.', everything, { couldNotResolve: true })
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['riverhook-source', 'import', 'node', 'types', 'default']
    }
  }
}
