#!/usr/bin/env node
// npm create riverhook [FOLDER] [-- --mount|--standalone --source NAME --inbox sqlite|postgres --yes]
import console from 'node:console'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline/promises'
import { URL } from 'node:url'
import { parseArgs } from 'node:util'

import { projectFiles } from './project.js'
import { sources } from './sources.js'

/** A mistake on the command line, whose message says what to do. */
class Usage extends Error {}

/** The project runs TypeScript files as they are. */
const oldestNode = [22, 18]
const [major, minor] = process.versions.node.split('.').map(Number)
const isTooOld = major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1])

const usage = `Usage: npm create riverhook [folder] -- [options]

  --standalone       a separate server (riverhook serve)
  --mount            mounted in a service on Fastify
  --source <name>    the provider: ${Object.keys(sources).join(', ')}
  --inbox <kind>     sqlite (one server) or postgres (any number)
  --yes              do not ask: standalone, digital-river and sqlite, where nothing else is given`

/** Asks until the answer is one of the names. An empty answer is the first. No line is wider than 80 columns. */
async function choose(lines, question, names) {
  console.log(question)
  for (;;) {
    const answer = (await lines.question(`  ${names.join(', ')} [${names[0]}] `)).trim() || names[0]
    if (names.includes(answer)) return answer
    console.log(`There is no ${answer}. Please answer one of:`)
  }
}

function readFlags() {
  const text = { type: 'string' }
  const flag = { type: 'boolean' }
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { standalone: flag, mount: flag, source: text, inbox: text, yes: flag, help: flag }
    })
    if (positionals.length > 1) throw new Usage(`one folder, not ${positionals.length}`)
    if (values.standalone && values.mount) throw new Usage('either --standalone or --mount')
    return {
      ...values,
      folder: positionals[0],
      kind: values.mount ? 'mounted' : values.standalone ? 'standalone' : undefined
    }
  } catch (error) {
    if (error instanceof Usage || String(error.code).startsWith('ERR_PARSE_ARGS')) throw new Usage(error.message)
    throw error
  }
}

function check(name, value, names) {
  if (value !== undefined && !names.includes(value))
    throw new Usage(`--${name} is one of ${names.join(', ')}; got ${value}`)
}

async function main() {
  const flags = readFlags()
  if (flags.help) {
    console.log(usage)
    return
  }
  const sourceNames = Object.keys(sources)
  check('source', flags.source, sourceNames)
  check('inbox', flags.inbox, ['sqlite', 'postgres'])
  const choice = { folder: flags.folder, kind: flags.kind, source: flags.source, inbox: flags.inbox }
  if (!flags.yes) {
    if (!process.stdin.isTTY) throw new Usage('there is no terminal to ask on: pass --yes, and what you choose')
    const lines = createInterface({ input: process.stdin, output: process.stdout })
    choice.folder ??= (await lines.question('Folder? [my-webhooks] ')).trim() || 'my-webhooks'
    choice.kind ??= await choose(lines, 'A separate server, or mounted in a service on Fastify?', [
      'standalone',
      'mounted'
    ])
    choice.source ??= await choose(lines, 'Which provider?', sourceNames)
    choice.inbox ??= await choose(lines, 'Where are events stored?', ['sqlite', 'postgres'])
    lines.close()
  }
  const folder = resolve(choice.folder ?? 'my-webhooks')
  if (existsSync(folder)) {
    if (!statSync(folder).isDirectory()) throw new Usage(`${folder} is a file: name a new folder`)
    if (readdirSync(folder).some((name) => name !== '.git'))
      throw new Usage(`${folder} is not empty: name a new folder`)
  }
  const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'))
  const files = projectFiles({
    name:
      basename(folder)
        .toLowerCase()
        .replaceAll(/[^a-z0-9-]+/g, '-')
        .replaceAll(/^-+|-+$/g, '') || 'my-webhooks',
    kind: choice.kind ?? 'standalone',
    source: choice.source ?? 'digital-river',
    inbox: choice.inbox ?? 'sqlite',
    version
  })
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
  const given = choice.folder ?? 'my-webhooks'
  console.log(`
Made ${folder}: ${Object.keys(files).length} files. Next:

  cd ${/[^\w./~:\\-]/.test(given) ? `"${given}"` : given}
  npm install
  npm test          the test of the handler
  npm run dev       the server, with your handlers; press t to send an event
`)
}

if (isTooOld) {
  console.error(`create-riverhook needs Node.js ${oldestNode.join('.')} or newer; this is v${process.versions.node}`)
  process.exitCode = 1
} else {
  try {
    await main()
  } catch (error) {
    // Ctrl-C or Ctrl-D at a question: nothing is made.
    if (error.code === 'ABORT_ERR') process.exitCode = 130
    else if (error instanceof Usage) {
      console.error(`create-riverhook: ${error.message}\n\n${usage}`)
      process.exitCode = 2
    } else throw error
  }
}
