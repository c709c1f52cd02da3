// npm run build:bundle. Builds the JavaScript of the package: the modules of src in few files. Node needs almost a
// millisecond to find, read and link a module, and a start loads more than 300 of them.
//
// Each export of the package, the command and each thread has its own file, under the name of its module. What they
// have in common is in dist/parts. The threads share no object with the rest: each has its own copy of what both use,
// and starts with few files.
import { isAscii } from 'node:buffer'
import { cpSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { build, type BuildOptions, type Metafile, type Plugin } from 'esbuild'

import { builtinModules } from './builtin-modules.ts'
import { ownFiles, type Manifest } from './own-files.ts'

const root = join(import.meta.dirname, '../..')
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest
const { entries, threads, commands } = ownFiles(manifest)
/** They import what every start needs. */
const roots = ['src/index.ts', 'src/programs.ts']

const usual = {
  absWorkingDir: root,
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node22.18',
  outbase: 'src',
  splitting: true,
  chunkNames: 'parts/[name]-[hash]',
  metafile: true,
  // Less to read at a start. The names stay, for stack traces, and Node prints the line of an uncaught error.
  minifyWhitespace: true,
  minifySyntax: true,
  lineLimit: 160,
  legalComments: 'none',
  logLevel: 'warning'
} as const satisfies BuildOptions

/** Lists the modules that others import statically, with these. */
function closureOf({ inputs }: Metafile, from: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>()
  const queue = [...from]
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (found.has(next)) continue
    found.add(next)
    for (const { kind, path, external } of inputs[next]?.imports ?? [])
      if (kind === 'import-statement' && external !== true) queue.push(path)
  }
  return found
}

/**
 * Lets modules that are loaded late import the roots. Without this, what one of them shares with the roots would be a
 * separate file: esbuild puts those modules together that are needed by the same others.
 */
function afterRoots(late: readonly string[]): Plugin {
  const paths = new Set(late.map((path) => join(root, path)))
  const first = roots.map((path) => `import ${JSON.stringify(join(root, path))}\n`).join('')
  return {
    name: 'after-roots',
    setup: ({ onLoad }) => {
      onLoad({ filter: /\.ts$/ }, ({ path }) =>
        paths.has(path) ? { contents: first + readFileSync(path, 'utf8'), loader: 'ts' } : undefined
      )
    }
  }
}

/**
 * Leaves out each module whose values are not used, with what it imports, and each import of a module on demand. No
 * module of src does anything to others when it is loaded.
 */
const usedOnly: Plugin = {
  name: 'used-only',
  setup: ({ onResolve, onLoad, resolve }) => {
    // Written into the file: to look it up takes longer than to read the inbox.
    onLoad({ filter: /\/src\/runtime\.ts$/ }, ({ path }) => {
      const { version, engines } = manifest
      const read = "createRequire(import.meta.url)('riverhook/package.json')"
      const [before, after, ...more] = readFileSync(path, 'utf8').split(read)
      if (before === undefined || after === undefined || more.length > 0)
        throw new Error(`${read} is not once in ${path}`)
      return { contents: before + JSON.stringify({ version, engines }) + after, loader: 'ts' }
    })
    // The file that has all a command uses has this, too.
    onLoad({ filter: /\/load-owner\.ts$/ }, () => ({
      contents: "import { FileOwner } from './file-owner.ts'\nexport const loadOwner = async () => FileOwner",
      resolveDir: join(root, 'src/inbox/sqlite')
    }))
    onResolve({ filter: /^[^/]/ }, async ({ path, kind, resolveDir, importer, pluginData }) => {
      if (kind === 'entry-point' || pluginData === usedOnly || path.startsWith('node:')) return undefined
      if (kind === 'dynamic-import') return { path: path.replace(/\.ts$/u, '.js'), external: true }
      const found = await resolve(path, { kind, resolveDir, importer, pluginData: usedOnly })
      return { ...found, sideEffects: false }
    })
  }
}

/**
 * Builds the package.
 * @param outdir a folder of the package: the built files find its other files from there
 */
export async function bundle(outdir: string): Promise<void> {
  const { metafile } = await build({ ...usual, outdir, entryPoints: entries, write: false })
  const loadedFirst = closureOf(metafile, roots)
  const isLate = (path: string): boolean =>
    !loadedFirst.has(path) && !/^src\/(?:cli|source\/digital-river)\//.test(path)
  const late = Object.values(metafile.outputs).flatMap(({ entryPoint }) =>
    entryPoint !== undefined && isLate(entryPoint) ? [entryPoint] : []
  )
  const bundled = await build({ ...usual, outdir, entryPoints: entries, plugins: [afterRoots(late)] })
  const alone = await build({ ...usual, outdir, entryPoints: threads, plugins: [builtinModules] })
  const quick = await build({
    ...usual,
    outdir,
    entryPoints: commands,
    packages: 'bundle',
    external: ['pino', 'cli-table3', 'cli-progress'],
    splitting: false,
    plugins: [builtinModules, usedOnly],
    logOverride: { 'ignored-bare-import': 'silent' }
  })

  const place = 'src/model/own-place.ts'
  const files = (metafile: Metafile): readonly string[] =>
    Object.entries(metafile.outputs).flatMap(([file, { inputs }]) => (Object.hasOwn(inputs, place) ? [file] : []))
  const wrong = [...files(bundled.metafile), ...files(quick.metafile)].filter(
    (file) => dirname(dirname(file)) !== outdir
  )
  if (wrong.length > 0 || files(alone.metafile).length > 0)
    throw new Error(
      `${place} must be in files of a folder of ${outdir}: from there, it finds the other files of the package`
    )

  // esbuild escapes other characters, except in a regular expression.
  const wide = [bundled, alone, quick]
    .flatMap(({ metafile }) => Object.keys(metafile.outputs))
    .filter((file) => !isAscii(readFileSync(join(root, file))))
  if (wide.length > 0)
    throw new Error(
      `${wide.join(', ')}: characters other than ASCII double the memory of the source, and the time to read it`
    )

  for (const file of globSync('**/*.json', { cwd: join(root, 'src') }))
    if (!file.startsWith('page/')) cpSync(join(root, 'src', file), join(root, outdir, file))
}

if (import.meta.main) await bundle('dist')
