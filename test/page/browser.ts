import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import {
  chromium,
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type LaunchOptions,
  type Page
} from 'playwright-core'
import t, { type Test } from 'tap'

// One browser for all tests of the folder, and a separate context for each page.
let launched: Promise<Browser> | undefined
t.teardown(async () => (await launched?.catch(() => undefined))?.close())

/** The path of a browser to use instead of those below. */
const variable = 'RIVERHOOK_TEST_BROWSER'

/** Those of packages of systems, by name. */
const names = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']

/** Where the browser of the dev dependency is unpacked: in this clone, so that no other user owns it. */
const unpacked = fileURLToPath(new URL('../../.tap/browser/', import.meta.url))

async function launch(): Promise<Browser> {
  const given = process.env[variable]
  const inPath = (process.env['PATH'] ?? '')
    .split(delimiter)
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find((path) => existsSync(path))
  if (given !== undefined) return start({ executablePath: given })
  if (process.platform === 'linux' && process.arch === 'x64') return startUnpacked()
  return start(inPath === undefined ? { channel: 'chrome' } : { executablePath: inPath })
}

/**
 * Containers and root have no user namespaces for the sandbox. Only our own page is opened. Without a separate process
 * for graphics, a page takes less of the processor.
 */
function start(options: LaunchOptions): Promise<Browser> {
  return chromium.launch({ ...options, chromiumSandbox: false, args: ['--disable-gpu', '--in-process-gpu'] })
}

/**
 * Starts the browser of `@sparticuz/chromium`. The package unpacks its libraries only in an environment like that of
 * AWS, and changes the environment of the process that imports it: so it is imported in another one.
 */
async function startUnpacked(isAgain = false): Promise<Browser> {
  mkdirSync(unpacked, { recursive: true })
  const script = `import chromium from '@sparticuz/chromium'; process.stdout.write(await chromium.executablePath())`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { ...process.env, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x', TMPDIR: unpacked }
  })
  const env = { ...process.env, LD_LIBRARY_PATH: join(unpacked, 'al2023/lib') }
  try {
    return await start({ executablePath: stdout, env })
  } catch (error) {
    if (isAgain) throw error
    // A run that was ended while it unpacked has left a part of it.
    rmSync(unpacked, { recursive: true, force: true })
    return startUnpacked(true)
  }
}

/**
 * A test in the browser. Without a browser it is skipped, and says why; with `CI=true` it fails.
 */
export function browserTest(name: string, run: (t: Test, open: OpenPage) => Promise<unknown>): void {
  t.test(name, async (t) => {
    launched ??= launch()
    let browser: Browser
    try {
      browser = await launched
    } catch (error) {
      const reason = `no Chromium or Chrome starts here: install one, or set ${variable}. ${String(error)}`
      if (process.env['CI'] === 'true') t.fail(reason)
      else t.pass(reason, { skip: reason })
      return
    }
    const contexts: BrowserContext[] = []
    const problems: string[] = []
    try {
      await run(t, async (url, { allowed, ...options } = {}) => {
        const context = await browser.newContext({ ...usual, ...options })
        contexts.push(context)
        return open(context, url, (problem) => {
          if (allowed?.test(problem) !== true) problems.push(problem)
        })
      })
    } finally {
      for (const context of contexts) await context.close()
    }
    t.same(problems, [], 'no error and no foreign request in the page')
  })
}

/** Opens an address. Fails the test on any error in the page, and on any request to another origin. */
export type OpenPage = (url: string, options?: BrowserContextOptions & Allowed) => Promise<Page>

interface Allowed {
  /** An error of the browser that the test wants. */
  readonly allowed?: RegExp
}

/** Playwright waits so long for what a test expects. A busy machine is slow. */
const patienceMs = 20_000

const usual: BrowserContextOptions = {
  locale: 'en-GB',
  timezoneId: 'Europe/Berlin',
  reducedMotion: 'reduce',
  viewport: { width: 1440, height: 900 }
}

async function open(context: BrowserContext, url: string, report: (problem: string) => void): Promise<Page> {
  context.setDefaultTimeout(patienceMs)
  const page = await context.newPage()
  page.on('pageerror', (error) => {
    report(`error: ${String(error.stack)}`)
  })
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') report(message.text())
  })
  page.on('dialog', (dialog) => {
    report(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== new URL(page.url()).origin && !request.isNavigationRequest())
      report(`request to ${request.url()}`)
  })
  await page.goto(url)
  return page
}
