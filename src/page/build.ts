/**
 * npm run build:page. Builds the operator's page from `src/page/` into `dist/page/`: the scripts and the style with a
 * hash in their names, each compressed in advance, and `index.html`, which names them.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

import { build, type Plugin } from 'esbuild'

const source = fileURLToPath(new URL('.', import.meta.url))
const built = fileURLToPath(new URL('../../dist/page/', import.meta.url))

/** Builds into a folder beside the final one, and then takes its place: a server never sees half a page. */
export async function buildPage(target = built): Promise<void> {
  const folder = `${target.replace(/\/$/u, '')}.${process.pid}`
  rmSync(folder, { recursive: true, force: true })
  const chart = readChart()
  const { outputFiles, metafile } = await build({
    entryPoints: [join(source, 'page.tsx'), join(source, 'page.css'), join(source, 'icon.svg')],
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    tsconfig: join(source, 'tsconfig.json'),
    loader: { '.svg': 'copy' },
    entryNames: 'assets/[name]-[hash]',
    plugins: [chart.plugin],
    outdir: folder,
    absWorkingDir: source,
    metafile: true,
    write: false
  })
  const files = outputFiles.map(({ path, contents }) => ({ path, contents: Buffer.from(contents) }))
  for (const { path, contents } of [...files, { path: join(folder, 'assets', chart.name), contents: chart.contents }]) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, contents)
    writeFileSync(`${path}.br`, brotliCompressSync(contents, brotli(contents.length)))
    writeFileSync(`${path}.gz`, gzipSync(contents, { level: 9 }))
  }
  const names = Object.keys(metafile.outputs).map((path) => basename(path))
  const html = readFileSync(join(source, 'index.html'), 'utf8').replace(/page\.(?:tsx|css)|icon\.svg/gu, (name) => {
    const [stem = '', end = ''] = name.split('.')
    const found = names.find((output) => output.startsWith(`${stem}-`) && output.endsWith(end.replace('tsx', 'js')))
    if (found === undefined) throw new Error(`The build of the page has no ${name}`)
    return `assets/${found}`
  })
  writeFileSync(join(folder, 'index.html'), html)
  rmSync(target, { recursive: true, force: true })
  renameSync(folder, target)
}

/** uPlot as its authors have minified it, which is smaller than what a bundler makes of it. A separate file. */
function readChart(): { readonly name: string; readonly contents: Buffer; readonly plugin: Plugin } {
  const minified = join(dirname(fileURLToPath(import.meta.resolve('uplot'))), 'uPlot.iife.min.js')
  const contents = Buffer.from(`${readFileSync(minified, 'utf8')};export default uPlot`)
  const name = `plot-${createHash('sha256').update(contents).digest('hex').slice(0, 8).toUpperCase()}.js`
  return {
    name,
    contents,
    plugin: {
      name: 'chart',
      setup: (hooks) => {
        hooks.onResolve({ filter: /^uplot$/ }, () => ({ path: `./${name}`, external: true }))
      }
    }
  }
}

function brotli(size: number): { params: Record<number, number> } {
  return { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: size } }
}

if (import.meta.main) await buildPage()
