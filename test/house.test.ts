import { existsSync, globSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { cruise, type ICruiseResult, type IConfiguration } from 'dependency-cruiser'
import t from 'tap'

import { makeFolder } from './folder.ts'

// Risk: a dependency rule that no longer matches any import, and passes lint for ever.

const config = createRequire(import.meta.url)('../.dependency-cruiser.cjs') as IConfiguration
const rules = (config.forbidden ?? []).map(({ name }) => String(name))

/** An import that each rule forbids: [file, its import, 'value' if a type import is allowed]. */
const broken: Record<string, readonly [from: string, to: string, kind?: 'value']> = {
  'no-ring': ['src/receive/receiver.ts', './ring.ts'],
  'model-imports-model': ['src/model/event.ts', '../options/settings.ts'],
  'contracts-import-model': ['src/inbox/inbox.ts', '../handlers/registry.ts'],
  'implementations-know-no-sister': ['src/inbox/sqlite/engine.ts', '../memory/engine.ts'],
  'small-sources-know-no-sister': ['src/source/stripe.ts', './github.ts'],
  'inbox-names-no-engine': ['src/inbox/recorder.ts', './memory/engine.ts'],
  'engines-and-sources-are-named-in-the-roots': ['src/receive/receiver.ts', '../inbox/sqlite/engine.ts'],
  'no-start-loads-sources': ['src/riverhook.ts', './source/stripe.ts', 'value'],
  'receive-deliver-and-manage-meet-in-the-inbox': ['src/deliver/dispatcher.ts', '../receive/receiver.ts'],
  'nothing-below-imports-the-roots': ['src/handlers/load.ts', '../index.ts'],
  'nothing-below-imports-a-program': ['src/plugin.ts', './server/main.ts'],
  'handlers-import-model': ['src/handlers/registry.ts', '../inbox/recorder.ts'],
  'forward-is-a-handler': ['src/forward/forward.ts', '../handlers/registry.ts'],
  'admin-uses-the-public-surface': ['src/admin/admin.ts', '../inbox/sqlite/engine.ts'],
  'no-start-loads-admin': ['src/server/server.ts', '../admin/admin.ts', 'value'],
  'no-start-loads-metrics': ['src/riverhook.ts', './observe/metrics/metrics.ts', 'value'],
  'no-start-loads-traces': ['src/riverhook.ts', './observe/traces/tracer.ts', 'value'],
  'metrics-see-contracts': ['src/observe/metrics/metrics.ts', '../../inbox/recorder.ts'],
  'page-imports-the-types-of-the-api': ['src/page/app.tsx', '../model/event.ts'],
  'page-runs-in-a-browser': ['src/page/api.ts', '../admin/api-types.ts', 'value'],
  'nothing-imports-the-page': ['src/admin/page.ts', '../page/page.tsx'],
  'server-uses-the-public-surface': ['src/server/main.ts', '../plugin.ts'],
  'cli-uses-the-public-surface': ['src/cli/main.ts', '../inbox/sqlite/engine.ts'],
  'testing-uses-the-public-surface': ['src/testing/sign.ts', '../inbox/inbox.ts'],
  'the-core-never-imports-fastify': ['src/deliver/attempt.ts', 'fastify'],
  'settings-import-model': ['src/options/settings.ts', '../handlers/registry.ts'],
  'receive-sees-contracts': ['src/receive/receiver.ts', '../options/check-options.ts'],
  'payload-sees-contracts': ['src/payload/checks.ts', '../receive/reply.ts'],
  'authentication-never-reaches-inbox-or-handlers': ['src/receive/authenticate/authenticate.ts', '../reply.ts'],
  'reply-knows-words-and-contracts': ['src/receive/reply.ts', './receiver.ts'],
  'deliver-sees-contracts': ['src/deliver/dispatcher.ts', '../inbox/recorder.ts'],
  'manage-sees-contracts': ['src/manage/registration/sync.ts', '../../handlers/load.ts'],
  'folders-share-types-not-values': ['src/receive/receiver.ts', '../inbox/recorder.ts', 'value'],
  'no-start-loads-an-engine': ['src/inbox/open-inbox.ts', './postgres/postgres-inbox.ts', 'value'],
  'no-start-loads-typebox': ['src/source/digital-river/schema-of.ts', './resources/index.ts', 'value'],
  'no-start-loads-jose': ['src/receive/authenticate/issued-tokens.ts', 'jose', 'value'],
  'no-start-imports-http': ['src/server/refuse.ts', 'node:http', 'value'],
  'no-test-in-the-package': ['src/plugin.ts', '../test/sample.ts'],
  'no-dev-dependency-in-the-package': ['src/plugin.ts', 'for-development', 'value'],
  'no-undeclared-dependency': ['src/plugin.ts', 'by-luck', 'value'],
  'nothing-unresolvable': ['src/plugin.ts', './gone.ts', 'value']
}

/** Imports that the architecture requires. */
const allowed: readonly (readonly [from: string, to: string, kind?: 'value'])[] = [
  ['src/model/channels.ts', './event.ts', 'value'],
  ['src/inbox/inbox.ts', '../model/event.ts'],
  ['src/inbox/inbox.ts', './contract/events.ts'],
  ['src/inbox/contract/events.ts', '../../model/event.ts'],
  ['src/inbox/recorder.ts', './inbox.ts'],
  ['src/inbox/memory/engine.ts', './inbox.ts'],
  ['src/inbox/memory/memory-inbox.ts', './store.ts', 'value'],
  ['src/inbox/postgres/engine.ts', './options.ts', 'value'],
  ['src/inbox/sqlite/engine.ts', './schema.ts', 'value'],
  ['src/inbox/sqlite/engine.ts', '../inbox.ts'],
  ['src/source/digital-river/index.ts', '../source.ts'],
  ['src/source/digital-river/index.ts', './signature.ts', 'value'],
  ['src/source/digital-river/verify.ts', '../judge-time.ts', 'value'],
  ['src/source/stripe.ts', './hmac/hmac-source.ts', 'value'],
  ['src/source/hmac/verify.ts', '../explain-unmatched.ts', 'value'],
  ['src/sources.ts', './source/stripe.ts', 'value'],
  ['src/source/digital-river/schema-of.ts', './resources/index.ts'],
  ['src/source/digital-river/resources/order.ts', './kinds.ts', 'value'],
  ['src/receive/reply.ts', 'node:http'],
  ['src/receive/receiver.ts', './authenticate/authenticate.ts', 'value'],
  ['src/receive/receiver.ts', '../inbox/recorder.ts'],
  ['src/receive/receiver.ts', '../handlers/registry.ts'],
  ['src/fastify/route.ts', 'fastify'],
  ['src/receive/authenticate/authenticate.ts', '../../source/source.ts'],
  ['src/receive/authenticate/authenticate.ts', './basic.ts', 'value'],
  ['src/receive/reply.ts', '../inbox/inbox.ts'],
  ['src/deliver/dispatcher.ts', '../inbox/inbox.ts'],
  ['src/deliver/dispatcher.ts', './attempt.ts', 'value'],
  ['src/plugin.ts', './inbox/sqlite/engine.ts', 'value'],
  ['src/plugin.ts', './source/digital-river/index.ts', 'value'],
  ['src/plugin.ts', './receive/receiver.ts', 'value'],
  ['src/plugin.ts', 'fastify', 'value'],
  ['src/index.ts', './plugin.ts', 'value'],
  ['src/admin/admin.ts', '../index.ts', 'value'],
  ['src/admin/admin.ts', 'fastify', 'value'],
  ['src/page/app.tsx', './events/events.tsx', 'value'],
  ['src/page/app.tsx', 'for-development', 'value'],
  ['src/page/app.tsx', '../admin/api-types.ts'],
  ['src/server/main.ts', '../index.ts', 'value'],
  ['src/cli/main.ts', '../index.ts', 'value'],
  ['src/cli/main.ts', '../server/main.ts', 'value'],
  ['src/cli/main.ts', '../source/digital-river/index.ts', 'value'],
  ['src/testing/sign.ts', '../source/digital-river/index.ts', 'value']
]

t.test('every dependency rule has an import that breaks it', async (t) => {
  // Imports that complete the cycle of the first case, and a path into the inbox for the second.
  const rest = [
    ['src/receive/ring.ts', './receiver.ts'],
    ['src/receive/reply.ts', '../inbox/inbox.ts']
  ] as const
  const result = await cruiseTree(makeFolder(t), [...Object.values(broken), ...rest])
  t.same(Object.keys(broken).sort(), [...rules].sort(), 'the table above names every rule')
  for (const [rule, [from]] of Object.entries(broken)) {
    const found = result.summary.violations.filter((violation) => violation.rule.name === rule)
    // A cycle is reported once, from any of its files.
    const files = found.flatMap((violation) => [violation.from, ...(violation.cycle ?? []).map(({ name }) => name)])
    t.ok(files.includes(from), `${rule} is reported`)
  }
})

t.test('the imports that the architecture requires break no rule', async (t) => {
  const result = await cruiseTree(makeFolder(t), allowed)
  t.same(
    result.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`),
    []
  )
  t.equal(result.summary.totalDependenciesCruised, allowed.length, 'and every one of them was checked')
})

/** Writes a tree in which each file has the given imports, and checks its src. */
async function cruiseTree(
  root: string,
  imports: readonly (readonly [from: string, to: string, kind?: 'value'])[]
): Promise<ICruiseResult> {
  const contents = new Map<string, string>([
    [
      'package.json',
      JSON.stringify({ peerDependencies: { fastify: '1' }, devDependencies: { fastify: '1', 'for-development': '1' } })
    ],
    ['test/sample.ts', 'export {}\n']
  ])
  for (const name of ['fastify', 'for-development', 'by-luck']) {
    contents.set(`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'index.js' }))
    contents.set(`node_modules/${name}/index.js`, '')
  }
  for (const [from, to, kind] of imports) {
    const statement =
      kind === 'value' ? `import { x } from '${to}'\nexport const y = x\n` : `import type { X } from '${to}'\n`
    contents.set(from, (contents.get(from) ?? '') + statement)
    const target = join(dirname(from), to)
    if (to.startsWith('.') && !to.includes('gone') && !contents.has(target)) contents.set(target, '')
  }
  for (const [file, text] of contents) {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), text)
  }
  const { output } = await cruise(['src'], {
    ...config.options,
    baseDir: root,
    validate: true,
    ruleSet: { forbidden: config.forbidden ?? [] }
  })
  if (typeof output === 'string') throw new Error(output)
  return output
}

// Risk: the same concept is in different files in each engine, so that a reader of one does not find it in another.
t.test('the engines of the inbox are divided into the same files', (t) => {
  const shared =
    'engine record claim settle adopt order replay admit restore prune read probe mismatches watermarks'.split(' ')
  const inbox = fileURLToPath(new URL('../src/inbox/', import.meta.url))
  for (const engine of ['memory', 'sqlite', 'postgres'])
    for (const name of engine === 'memory' ? shared : [...shared, 'schema'])
      t.ok(existsSync(join(inbox, engine, `${name}.ts`)), `src/inbox/${engine}/${name}.ts`)
  t.end()
})

// Risk: the tests of a new folder, which no command runs.
t.test('every test file is run by npm test', (t) => {
  const patterns = [
    ...readFileSync(new URL('../.taprc', import.meta.url), 'utf8').matchAll(/^ {2}- test\/(.*)$/gm)
  ].map(([, pattern = '']) => pattern)
  const own = new Set(globSync(patterns, { cwd: import.meta.dirname }))
  const files = globSync('**/*.test.ts', { cwd: import.meta.dirname, exclude: ['bench/**'] })
  t.ok(patterns.length > 1 && own.size > 3 && files.length > own.size)
  for (const file of files) {
    const [folder = ''] = file.split(/[\\/]/)
    const isTogether =
      existsSync(new URL(`${folder}.test.ts`, import.meta.url)) && !file.includes(join(folder, 'alone'))
    t.not(own.has(file), isTogether, `${file}: in its own process, or run with its folder, and not both`)
  }
  t.end()
})

const root = fileURLToPath(new URL('../', import.meta.url))
const documents = globSync('{*.md,docs/**/*.md,examples/**/*.md}', { cwd: root }).sort()
const textOf = (document: string): string => readFileSync(join(root, document), 'utf8')

// Risk: a map that leads a newcomer to a file that has moved.
t.test('every file, folder and script that a document names exists', (t) => {
  const { scripts } = createRequire(import.meta.url)('../package.json') as { scripts: Record<string, string> }
  for (const document of documents.filter((each) => each !== 'CHANGELOG.md')) {
    const text = textOf(document)
    // A path in code, `src/model/` or `test/inbox/contract.ts`. NAME and FOLDER stand for any name.
    const paths = [...text.matchAll(/`((?:src|test|docs|examples|\.ci|\.node)\/[^`\s]*)`/g)].map(
      ([, path = '']) => path
    )
    for (const path of paths.filter((each) => !/[*]|[A-Z]{4}/.test(each)))
      t.ok(existsSync(join(root, path)), `${document}: ${path}`)
    for (const [, test = ''] of text.matchAll(/npx tap ([^\s`]+)/g))
      t.ok(existsSync(join(root, test)), `${document}: ${test}`)
    for (const [, script = ''] of text.matchAll(/npm run (?:-s )?([\w:]+)/g))
      t.hasOwnProp(scripts, script, `${document}: npm run ${script}`)
  }
  t.end()
})

t.test('every folder of src is in the tree of ARCHITECTURE.md', (t) => {
  const tree = textOf('ARCHITECTURE.md').split('## The tree')[1]?.split('\n### ')[0] ?? ''
  const named = [...tree.matchAll(/^\| `(src\/[^`]*)` \|/gm)].map(([, folder = '']) => folder)
  const folders = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ parentPath, name }) => `${join(parentPath, name).slice(root.length).replaceAll('\\', '/')}/`)
  t.same([...named].sort(), ['src/', ...folders].sort())
  t.end()
})

t.test('every dependency rule is in ARCHITECTURE.md, with its reason', (t) => {
  const table = textOf('ARCHITECTURE.md').split('### Rules')[1]?.split('\n## ')[0] ?? ''
  const named = [...table.matchAll(/^\| (`[^|]*`) \|/gm)].flatMap(([, names = '']) => names.match(/[\w-]+/g) ?? [])
  t.same(named.sort(), [...rules].sort())
  t.end()
})

t.test('every link of a document leads to an existing file, and to a heading in it', (t) => {
  const headings = new Map(documents.map((document) => [document, anchorsOf(textOf(document))]))
  let links = 0
  for (const document of documents) {
    // Links outside of code.
    const text = textOf(document).replaceAll(/^```[\s\S]*?^```/gm, '')
    for (const [, target = ''] of text.matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
      links += 1
      const [path = '', anchor] = target.split('#')
      const file = path === '' ? document : join(dirname(document), path)
      t.ok(existsSync(join(root, file)), `${document}: ${target}`)
      if (anchor !== undefined) t.ok(headings.get(file)?.has(anchor), `${document}: ${target} is a heading`)
    }
  }
  t.ok(links > 20)
  t.end()
})

/** The anchors that GitHub gives to the headings of a document. */
function anchorsOf(text: string): ReadonlySet<string> {
  const anchors = new Set<string>()
  for (const [, heading = ''] of text.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(/^#{1,6} (.*)$/gm)) {
    const slug = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-')
    let anchor = slug
    for (let count = 1; anchors.has(anchor); count += 1) anchor = `${slug}-${count}`
    anchors.add(anchor)
  }
  return anchors
}

/** Files outside of the provider's folders that name the default provider, each with its reason. */
const namesTheProvider: Readonly<Record<string, string>> = {
  'src/index.ts': 'the public surface: it exports the source, its client and its types',
  'src/options/own-package.ts': "riverhook/resources is the default source's",
  'src/options/default-source.ts': 'the default source, named in this place',
  'src/options/default-names.ts': 'its names in settings and texts, named in this place',
  'src/testing/index.ts': 'the public surface of riverhook/testing: it exports the simulator and the samples',
  'src/testing/sample-event.ts': 'sampleEvent() without a source: its samples',
  'src/testing/sample-request.ts': 'its samples are made by its own generator, all others by the source',
  'src/cli/event-types.ts': 'a command of its own: its catalogue',
  'src/cli/simulate.ts': 'a command of its own: its simulator',
  'src/cli/simulated.ts': 'a part of simulate',
  'src/cli/dev.ts': 'a command of its own: a tour with its simulator',
  'src/cli/dev-show.ts': 'a part of dev',
  'src/cli/webhooks/webhooks.ts': 'a command of its own: its API'
}

// Risk for users of other providers: statements of the core that apply only to the default one.
t.test('the core names no provider', (t) => {
  const own = /^src\/(source|testing)\/digital-river\//
  const root = join(import.meta.dirname, '..')
  const files = globSync('src/**/*', { cwd: root, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(root.length + 1))
    .filter((file) => !own.test(file))
  t.ok(files.length > 150)
  const naming = files.filter((file) => /digital.river/i.test(readFileSync(join(root, file), 'utf8')))
  t.same(naming.sort(), Object.keys(namesTheProvider).sort())
  t.end()
})

const fromItsPlace =
  /URL\([^()]*import\.meta|fileURLToPath\(import\.meta|import\.meta\.(?:dirname|filename)|require\('\./u

// Risk: a published file that looks for another one in a folder where it is not: the build puts many modules into one
// file, in dist/parts.
t.test('a module finds other files of the package with own-place.ts, not from its own place', (t) => {
  const root = new URL('../', import.meta.url)
  const files = globSync('src/**/*.ts', { cwd: root }).filter((file) => !file.startsWith('src/page/'))
  t.same(
    files.filter((file) => fromItsPlace.test(readFileSync(new URL(file, root), 'utf8'))),
    ['src/model/own-place.ts']
  )
  t.end()
})

// Risk: long comment lines. The formatter does not wrap comments.
t.test('no comment is wider than 120 columns', (t) => {
  const root = new URL('../', import.meta.url)
  const files = globSync(['src/**/*.ts', 'test/**/*.ts', 'examples/**/*.ts'], {
    cwd: fileURLToPath(root),
    exclude: (path) => path.includes('node_modules')
  })
  const wide = files.flatMap((file) =>
    readFileSync(new URL(file, root), 'utf8')
      .split('\n')
      .flatMap((line, index) =>
        /^\s*(?:\/\/(?! eslint-)|\/?\*)/.test(line) && line.length > 120 ? [`${file}:${index + 1}`] : []
      )
  )
  t.same(wide, [])
  t.end()
})
