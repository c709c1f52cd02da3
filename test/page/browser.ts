import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { chromium, type Browser, type BrowserContextOptions, type LaunchOptions, type Page } from 'playwright-core'
import t, { type Test } from 'tap'

// One browser for all tests of the folder. Two pages of one test have separate contexts.
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
    const lent: Lent[] = []
    const problems: string[] = []
    let isDone = false
    try {
      await run(t, async (url, { allowed, ...options } = {}) => {
        const one = await lend(browser, { ...usual, ...options })
        lent.push(one)
        await open(one.page, url, (problem) => {
          if (allowed?.test(problem) !== true) problems.push(problem)
        })
        return one.page
      })
      isDone = true
    } finally {
      // A test that failed may leave a page in any state.
      for (const one of lent) await (isDone ? takeBack(one) : one.page.context().close())
    }
    t.same(problems, [], 'no error and no foreign request in the page')
  })
}

/** Opens an address. Fails the test on any error in the page, and on any request to another origin. */
export type OpenPage = (url: string, options?: PageOptions & Allowed) => Promise<Page>

interface PageOptions extends BrowserContextOptions {
  /** Runs in each document before its own scripts. */
  readonly script?: string
}

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

/** A page that a test has, in a separate context. */
interface Lent {
  readonly page: Page
  readonly viewport: BrowserContextOptions['viewport']
  /** Takes it when the test ends. */
  readonly free: Lent[]
}

/** Pages that no test has, by their options. To start the process of a new one takes longer than many tests. */
const freePages = new Map<string, Lent[]>()

async function lend(browser: Browser, { script, ...options }: PageOptions): Promise<Lent> {
  const key = JSON.stringify({ script, ...options })
  const free = freePages.get(key) ?? []
  freePages.set(key, free)
  const last = free.pop()
  if (last !== undefined) return last
  const context = await browser.newContext(options)
  context.setDefaultTimeout(patienceMs)
  const page = await context.newPage()
  if (script !== undefined) await page.addInitScript(script)
  return { page, viewport: options.viewport, free }
}

/**
 * Makes a page as it was when it was new. What the page stores stays with the address of its host, which no other test
 * has. Only cookies are for all ports.
 */
async function takeBack(one: Lent): Promise<void> {
  const { page, viewport, free } = one
  for (const name of ['pageerror', 'console', 'dialog', 'request', 'requestfinished']) page.removeAllListeners(name)
  await page.unrouteAll()
  await page.mouse.move(0, 0)
  await page.goto('about:blank')
  await page.context().clearCookies()
  if (viewport) await page.setViewportSize(viewport)
  free.push(one)
}

async function open(page: Page, url: string, report: (problem: string) => void): Promise<void> {
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
}
