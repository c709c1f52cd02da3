/**
 * npm run build:page. Builds the operator's page from `src/page/` into `dist/page/`: the scripts and the style with a
 * hash in their names, each compressed in advance, and `index.html`, which names them.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

import { build } from 'esbuild'

const source = fileURLToPath(new URL('.', import.meta.url))
const built = fileURLToPath(new URL('../../dist/page/', import.meta.url))

/**
 * Builds the page. A file of the same content stays as it is, and each other one is put in its place at once: a server
 * never sees half a page, even if two tests build it at a time.
 */
export async function buildPage(target = built): Promise<void> {
  const chart = await buildChart()
  const { outputFiles } = await build({
    ...usual,
    entryPoints: ['page.tsx', 'page.css', 'icon.svg'].map((name) => join(source, name)),
    jsx: 'automatic',
    jsxImportSource: 'preact',
    tsconfig: join(source, 'tsconfig.json'),
    loader: { '.svg': 'copy' },
    plugins: [
      {
        name: 'chart',
        setup: (hooks) => {
          hooks.onResolve({ filter: /^uplot$/ }, () => ({ path: `./${chart.name}`, external: true }))
          // Without this line, its router, which the page does without, is left out.
          hooks.onLoad({ filter: /preact-iso\/src\/router\.js$/ }, ({ path }) => ({
            contents: cut(readFileSync(path, 'utf8'), 'Router.Provider = LocationProvider;', '\n', '')
          }))
        }
      }
    ],
    outdir: join(target, 'assets'),
    absWorkingDir: source
  })
  const files = [...outputFiles.map(({ path, contents }) => ({ name: basename(path), contents })), chart]
  let html = readFileSync(join(source, 'index.html'), 'utf8')
  html = html.replace(/page\.(?:tsx|css)|icon\.svg/gu, (name) => {
    const [stem = '', end = ''] = name.split('.')
    const found = files.find((file) => file.name.startsWith(`${stem}-`) && file.name.endsWith(end.replace('tsx', 'js')))
    if (found === undefined) throw new Error(`The build of the page has no ${name}`)
    return `assets/${found.name}`
  })
  const all = files.flatMap(({ name, contents }) => [
    { name, contents },
    { name: `${name}.br`, contents: brotliCompressSync(contents, brotli(contents.length)) },
    { name: `${name}.gz`, contents: gzipSync(contents, { level: 9 }) }
  ])
  const assets = join(target, 'assets')
  mkdirSync(assets, { recursive: true })
  for (const { name, contents } of all) put(join(assets, name), contents)
  put(join(target, 'index.html'), Buffer.from(html))
  for (const name of readdirSync(assets))
    if (!all.some((file) => file.name === name) && !name.endsWith(unfinished))
      rmSync(join(assets, name), { force: true })
}

const usual = {
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  write: false,
  entryNames: '[name]-[hash]'
} as const

/** The end of the name of a file that is not in its place yet. */
const unfinished = '.part'

/** Puts a file in its place in one step, unless it is there. */
function put(path: string, contents: Uint8Array): void {
  if (existsSync(path) && readFileSync(path).equals(contents)) return
  const part = `${path}.${process.pid}${unfinished}`
  writeFileSync(part, contents)
  renameSync(part, path)
}

/** Replaces a part of the text of a library. @throws if it is not there: the library has changed */
function cut(text: string, begin: string, end: string, replacement: string): string {
  const from = text.indexOf(`\n${begin}`) + 1
  const to = text.indexOf(end, from)
  if (from === 0 || to === -1) throw new Error(`The library has no "${begin}": change what the build of the page cuts`)
  return text.slice(0, from) + replacement + text.slice(to)
}

/**
 * Builds uPlot as a separate file, without what the page never calls: the last part of the library gives that to its
 * users. Its numbers are English, as all of the page: it would throw for a browser whose language is no locale, such as
 * `en-US@posix`.
 */
async function buildChart(): Promise<{ readonly name: string; readonly contents: Uint8Array }> {
  const path = join(dirname(fileURLToPath(import.meta.resolve('uplot'))), 'uPlot.esm.js')
  const used = cut(
    readFileSync(path, 'utf8'),
    'uPlot.assign = assign;',
    'export { uPlot as default };',
    'uPlot.paths = { bars };\n'
  )
  const contents = cut(used, 'const numFormatter =', '\n', "const numFormatter = new Intl.NumberFormat('en');")
  const { outputFiles } = await build({
    ...usual,
    stdin: { contents, sourcefile: 'plot.js' },
    outdir: built,
    absWorkingDir: source
  })
  const [file] = outputFiles
  if (file === undefined) throw new Error('uPlot was not built')
  return { name: basename(file.path).replace('stdin', 'plot'), contents: file.contents }
}

function brotli(size: number): { params: Record<number, number> } {
  return { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: size } }
}

if (import.meta.main) await buildPage()
