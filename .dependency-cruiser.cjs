/**
 * The rules of the tree (see ARCHITECTURE.md). Type imports count: a cycle of types is a cycle. `test/house.test.ts`
 * breaks every rule once.
 */

// The terms that every folder shares.
const model = '^src/model/'
// A contract: the file with the name of its folder, and its parts.
const contracts = '^src/(source/(source|check-answer|kept-headers)|inbox/(inbox|contract/[^/]+))\\.ts$'
// Code that the implementations of one contract share.
const shared =
  '^src/(inbox/(act-results|arrival-time|attempt-lengths|check|check-restored|check-rules|event-pages|late-engine|purge-kind|read-turns|rows|schema-fingerprint|search|seen-states|semaphore|tally|wanted)\\.ts$|source/((certificates|exact-json|explain-unmatched|if-installed|judge-time|parse-challenge|parse-json)\\.ts$|http/))'
// A provider in one file. Larger ones have a folder.
const smallSource =
  '^src/source/(?!(source|check-answer|kept-headers|certificates|exact-json|explain-unmatched|if-installed|judge-time|parse-challenge|parse-json)\\.ts$)[^/]+\\.ts$'
const provider = '^src/source/digital-river/index\\.ts$'
// Every setting with its rule and default. Imports only the model.
const settings = '^src/options/settings?\\.ts$'
// The code of an engine. What is read before an inbox is opened is not part of it: options, and the SQL for a DBA.
const lateEngines =
  '^src/inbox/(memory/(?!engine\\.ts$)|postgres/(?!(engine|migration-text|options|schema|schema-name)\\.ts$))'
const roots = '^src/(riverhook|command|plugin|web|index|programs|sources)\\.ts$'
const everything = '^src/'

/** A rule that lets `from` import, within src, only `allowed`. */
const only = (name, comment, from, allowed) => ({
  name,
  comment,
  severity: 'error',
  from: typeof from === 'string' || Array.isArray(from) ? { path: from } : from,
  to: { path: everything, pathNot: allowed }
})

/** A rule that forbids `from` to import `to`. */
const never = (name, comment, from, to) => ({
  name,
  comment,
  severity: 'error',
  from: typeof from === 'string' || Array.isArray(from) ? { path: from } : from,
  to: typeof to === 'string' ? { path: to } : to
})

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    never('no-ring', 'Files in a cycle can only be read, tested and changed together.', {}, { circular: true }),
    only('model-imports-model', 'Every folder imports the model: what it imports, they all import.', model, [model]),
    only(
      'contracts-import-model',
      'A contract that knows an implementation cannot be implemented by a user.',
      contracts,
      [model, contracts]
    ),
    only(
      'implementations-know-no-sister',
      'An engine or a source can be added or removed without a change to another one.',
      '^src/(inbox|source)/([^/]+)/',
      [model, shared, '^src/$1/$1\\.ts$', '^src/$1/$2/']
    ),
    only(
      'small-sources-know-no-sister',
      'A source in one file is a description: it can be copied, and removed, without a change to another one.',
      smallSource,
      [model, contracts, shared, '^src/source/(hmac|api)/']
    ),
    only(
      'inbox-names-no-engine',
      'What works with any engine must not depend on one; only open-inbox.ts chooses.',
      { path: '^src/inbox/[^/]+\\.ts$', pathNot: ['^src/inbox/open-inbox\\.ts$', contracts] },
      [model, '^src/inbox/[^/]+\\.ts$']
    ),
    never(
      'engines-and-sources-are-named-in-the-roots',
      'Any other file that names one ties the core to it: the core knows contracts.',
      {
        path: everything,
        pathNot: [roots, '^src/(inbox|source|options|cli|testing)/', '^src/forward/sign\\.ts$']
      },
      `(^src/(inbox|source)/[^/]+/|${smallSource})`
    ),
    never(
      'no-start-loads-sources',
      'Only the default source is loaded by a start. The others are loaded by those who import riverhook/sources.',
      { path: everything, pathNot: ['^src/sources\\.ts$', '^src/source/'] },
      {
        path: ['^src/sources\\.ts$', '^src/source/(hmac|api)/', smallSource],
        dynamic: false,
        dependencyTypesNot: ['type-only']
      }
    ),
    never(
      'receive-deliver-and-manage-meet-in-the-inbox',
      'An import between them would be a second path of an event, which no crash test covers.',
      '^src/(receive|deliver|manage)/',
      { path: '^src/(receive|deliver|manage)/', pathNot: '^src/$1/' }
    ),
    never(
      'nothing-below-imports-the-roots',
      'The roots import everything: a part that imports them imports everything.',
      { path: everything, pathNot: [roots, '^src/(admin|server|cli|testing)/'] },
      roots
    ),
    never(
      'nothing-below-imports-a-program',
      'admin, server, cli and testing stand on top of the package; the package works without them.',
      { path: everything, pathNot: '^src/(admin|page|server|cli|testing)/' },
      '^src/(admin|server|cli|testing)/'
    ),
    only(
      'handlers-import-model',
      'The registry knows which handlers exist; it must not depend on how, where or when they run.',
      '^src/handlers/',
      [model, '^src/handlers/', contracts, settings]
    ),
    only(
      'forward-is-a-handler',
      'What a forwarding handler cannot do with its context, a user cannot do either.',
      '^src/forward/',
      [
        model,
        contracts,
        settings,
        '^src/forward/',
        '^src/handlers/(handler|define-handler)\\.ts$',
        '^src/source/standard-webhooks\\.ts$'
      ]
    ),
    only('admin-uses-the-public-surface', "What the operator's API lacks in index.ts, users lack.", '^src/admin/', [
      '^src/(index|programs)\\.ts$',
      '^src/admin/'
    ]),
    never(
      'no-start-loads-admin',
      "The operator's API and its packages are loaded where it is configured, and nowhere else.",
      { path: everything, pathNot: '^src/admin/' },
      { path: '^src/admin/', dynamic: false, dependencyTypesNot: ['type-only'] }
    ),
    never(
      'no-start-loads-metrics',
      'The client of Prometheus is loaded where metrics are on, and nowhere else.',
      { path: everything, pathNot: '^src/observe/metrics/(create|metrics)\\.ts$' },
      {
        path: ['^src/observe/metrics/(create|metrics)\\.ts$', '(^|node_modules/)@prometheus-io/'],
        dynamic: false,
        dependencyTypesNot: ['type-only']
      }
    ),
    never(
      'no-start-loads-traces',
      'OpenTelemetry is loaded where an SDK is registered, and nowhere else.',
      { path: everything, pathNot: '^src/observe/traces/tracer\\.ts$' },
      {
        path: ['^src/observe/traces/tracer\\.ts$', '(^|node_modules/)@opentelemetry/'],
        dynamic: false,
        dependencyTypesNot: ['type-only']
      }
    ),
    only('metrics-see-contracts', 'Metrics read channels and the inbox, and change nothing.', '^src/observe/', [
      model,
      contracts,
      '^src/observe/'
    ]),
    only(
      'page-imports-the-types-of-the-api',
      'The page runs in a browser: it has its own files, and nothing of Node.',
      '^src/page/',
      ['^src/page/', '^src/admin/api-types\\.ts$']
    ),
    never(
      'page-runs-in-a-browser',
      'A browser has no module of Node, and a value of another folder would bring all that it imports.',
      '^src/page/',
      { path: '^(node:|src/(?!page/))', dependencyTypesNot: ['type-only'] }
    ),
    never(
      'nothing-imports-the-page',
      'It is built for browsers: the server sends its files and runs none of them.',
      { path: everything, pathNot: '^src/page/' },
      '^src/page/'
    ),
    only('server-uses-the-public-surface', 'What the server lacks in index.ts, users lack.', '^src/server/', [
      '^src/(index|programs)\\.ts$',
      '^src/(admin|server|options)/'
    ]),
    only('cli-uses-the-public-surface', 'What the commands lack in index.ts, users lack.', '^src/cli/', [
      '^src/(index|programs|runtime)\\.ts$',
      '^src/testing/index\\.ts$',
      '^src/(admin|cli|server|options)/',
      provider
    ]),
    only('testing-uses-the-public-surface', 'What the test kit lacks in index.ts, users lack.', '^src/testing/', [
      '^src/(index|programs)\\.ts$',
      '^src/testing/',
      provider
    ]),
    never(
      'the-core-never-imports-fastify',
      'Only the edge knows HTTP frameworks: the rest runs, and is tested, without a server.',
      '^src/((deliver|forward|handlers|inbox|source|manage|payload|model|options|receive|lifecycle)/|(riverhook|command|interface|web|sources)\\.ts$)',
      '(^|node_modules/)(@fastify/|fastify(-plugin)?($|/))'
    ),
    only(
      'settings-import-model',
      'Every setting is defined once, in a file that can be read alone.',
      [
        '^src/options/(settings?|server-settings|token-settings|alarm-settings|encryption-settings|search-settings|trace-settings|retention-settings|inbox-setting|endpoint-options)\\.ts$'
      ],
      [
        model,
        '^src/options/(settings?|server-settings|token-settings|alarm-settings|encryption-settings|search-settings|trace-settings|retention-settings|inbox-setting|endpoint-options|default-names)\\.ts$'
      ]
    ),
    only(
      'receive-sees-contracts',
      'The receiver hands an arrival to the recorder and knows no engine.',
      '^src/receive/',
      [model, contracts, '^src/(receive|handlers|payload)/', '^src/inbox/recorder\\.ts$']
    ),
    only('payload-sees-contracts', 'Payload checks serve receive and backfill alike.', '^src/payload/', [
      model,
      contracts,
      '^src/(payload|handlers)/'
    ]),
    never(
      'authentication-never-reaches-inbox-or-handlers',
      'Authentication depends on the request and the configuration: nothing is stored or run before it.',
      '^src/receive/authenticate/',
      { path: '^src/(inbox|handlers)/', reachable: true }
    ),
    only(
      'reply-knows-words-and-contracts',
      'The one table of answers depends on codes and results alone.',
      '^src/receive/reply\\.ts$',
      [model, contracts]
    ),
    only('deliver-sees-contracts', 'The dispatcher works with any inbox.', '^src/deliver/', [
      model,
      '^src/deliver/',
      '^src/inbox/(inbox|claimer)\\.ts$',
      '^src/handlers/registry\\.ts$',
      settings
    ]),
    only('manage-sees-contracts', 'Registration and backfill work with any source and any inbox.', '^src/manage/', [
      model,
      contracts,
      '^src/manage/',
      '^src/inbox/recorder\\.ts$',
      '^src/handlers/registry\\.ts$'
    ]),
    never(
      'folders-share-types-not-values',
      'The composition root passes in what runs, so that each part can be run with another one.',
      '^src/(receive|deliver|manage)/',
      {
        path: '^src/(inbox|handlers|source)/',
        pathNot: '^src/(handlers/deliveries|source/(check-answer|kept-headers))\\.ts$',
        dependencyTypesNot: ['type-only']
      }
    ),

    // Rules that keep start-up fast.
    never(
      'no-start-loads-an-engine',
      'An engine is loaded when its inbox is opened, and by no process that uses another one.',
      { path: everything, pathNot: lateEngines },
      { path: lateEngines, dynamic: false, dependencyTypesNot: ['type-only'] }
    ),
    never(
      'no-start-loads-typebox',
      'It is 373 modules. Only types are imported from what is written in it; the schemas are in schemas.json (npm run schemas).',
      '^src/(?!source/digital-river/(resources/|api/models\\.ts$)|admin/schemas/)',
      {
        path: ['^src/source/digital-river/(resources/|api/models\\.ts$)', '^src/admin/schemas/', 'typebox'],
        dependencyTypesNot: ['type-only']
      }
    ),
    never('no-start-loads-jose', 'Only an endpoint with a token end point needs it.', everything, {
      path: '(^|node_modules/)jose($|/)',
      dynamic: false,
      dependencyTypesNot: ['type-only']
    }),
    never(
      'no-start-imports-http',
      'Imported as a module it loads all of fetch with it: process.getBuiltinModule does not.',
      everything,
      { path: '^(node:)?https?$', dependencyTypesNot: ['type-only'] }
    ),

    // Rules for the published package.
    never('no-test-in-the-package', 'Tests and examples are not published.', everything, '^(test|examples)/'),
    // A peer is also a dev dependency, because the clone needs it.
    // The page is built, with all that it imports, before it is published.
    never(
      'no-dev-dependency-in-the-package',
      'It would be missing where the package is installed.',
      { path: everything, pathNot: '^src/page/' },
      {
        dependencyTypes: ['npm-dev'],
        dependencyTypesNot: ['type-only', 'npm-peer']
      }
    ),
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
      // A package with only types has no other entry.
      mainFields: ['main', 'types'],
      conditionNames: ['riverhook-source', 'import', 'node', 'types', 'default']
    }
  }
}
