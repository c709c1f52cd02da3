import { spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import type { Command } from 'commander'
import t from 'tap'

import { createProgram } from '../src/cli/program.ts'
import { commandsPage, commandsTable, commandsTableName, tablePattern } from './readme-tables.ts'

// Risk: a newcomer copies a command, and the shell complains of the words of the explanation beside it.

const root = fileURLToPath(new URL('../', import.meta.url))
const read = (document: string): string => readFileSync(`${root}${document}`, 'utf8')
const documents = globSync('{README,CONTRIBUTING,SECURITY}.md', { cwd: root })
  .concat(globSync('{docs,examples}/**/*.md', { cwd: root }))
  .sort()

interface Block {
  readonly document: string
  readonly kind: string
  readonly text: string
}

const blocks = documents.flatMap((document) =>
  Array.from(
    read(document).matchAll(/^```(\w*)\n([\s\S]*?)^```/gm),
    ([, kind = '', text = '']): Block => ({ document, kind, text })
  )
)

const programs =
  /^(?:npx|npm|node|riverhook|docker|curl|cd|mkdir|export|source|python3|printf|chmod|promtool|apt-get|\.ci\/run)\b/

/** The commands of a block, each in one line, without the variables before them. */
function commandsOf(text: string): string[] {
  return text
    .replaceAll(/ *\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace(/^(?:[A-Z_]+=\S* )+/, ''))
}

t.test('each line of a sh block is a command, with nothing beside it', async (t) => {
  const found = blocks.filter(({ kind }) => kind === 'sh')
  t.ok(found.length > 30)
  for (const { document, text } of found) {
    const checked = spawnSync('bash', ['-n'], { input: text, encoding: 'utf8' })
    t.equal(checked.stderr, '', `${document}: bash can read it`)
    for (const command of commandsOf(text)) {
      t.match(command, programs, `${document}: it begins with a program`)
      // Some shells do not read comments when they are typed, and dots stand for something to think of.
      t.notMatch(command, /(?:^| )#|\.\.\.| {2}/, `${document}: no comment, dots or columns`)
    }
  }
})

t.test('a block that is not run by a shell holds no command', async (t) => {
  for (const { document, kind, text } of blocks.filter(({ kind }) => ['text', '', 'console', 'bash'].includes(kind)))
    for (const line of text.split('\n')) t.notMatch(line, programs, `${document}, ${kind}`)
})

t.test('every command in the documents exists, with its flags', async (t) => {
  const program = await createProgram()
  const inCode = documents.flatMap((document) =>
    Array.from(read(document).matchAll(/`(?:npx )?riverhook ([^`]+)`/g), ([, line = '']) => [document, line] as const)
  )
  const inBlocks = blocks
    .filter(({ kind }) => kind === 'sh')
    .flatMap(({ document, text }) =>
      commandsOf(text).flatMap((line) =>
        Array.from(
          line.matchAll(/^(?:npx riverhook|npm run -s riverhook --|docker exec \S+ riverhook|riverhook) (.*)/g),
          ([, rest = '']) => [document, rest] as const
        )
      )
    )
  t.ok(inCode.length > 80 && inBlocks.length > 20)
  for (const [document, line] of [...inCode, ...inBlocks]) {
    let command: Command | undefined = program
    // `jobs list|show` names several.
    for (const word of line.replace(/\|.*/, '').split(' ')) {
      if (command === undefined || command.commands.length === 0) break
      if (!/^[a-z]/.test(word)) break
      command = command.commands.find((each) => each.name() === word) ?? bare(command)
    }
    t.ok(command, `${document}: riverhook ${line}`)
    const known = [...(command?.options ?? []), ...program.options].map(({ long }) => long)
    for (const [flag] of line.matchAll(/(?<= )--[a-z-]+/g))
      if (flag !== '--help') t.ok(known.includes(flag), `${document}: ${flag} in: riverhook ${line}`)
  }
})

/** A command that also runs without a word after it, such as `alarms` beside `alarms test`. */
function bare(command: Command): Command | undefined {
  return command.registeredArguments.length > 0 || command.name() === 'completion' ? command : undefined
}

t.test('the table of commands is up to date', async (t) => {
  const [, , written = ''] = tablePattern(commandsTableName).exec(readFileSync(commandsPage, 'utf8')) ?? []
  t.equal(written.trim(), await commandsTable(), 'run test/readme-tables.ts to write it')
})

// Risk: a secret that is set under the name of one page, and is read under the name of another.
t.test('the signing secrets have one name', async (t) => {
  const code = [
    ...blocks.map(({ document, text }) => [document, text] as const),
    ...globSync('examples/**/*.{ts,js}', { cwd: root }).map((file) => [file, read(file)] as const)
  ]
  let count = 0
  for (const [document, text] of code)
    for (const [, given = ''] of text.matchAll(/secrets: (.*)/g)) {
      const names = [...given.matchAll(/[A-Z][A-Z_]{4,}/g)].map(([name]) => name)
      count += names.length
      const endpoints = [...text.matchAll(/path: '/g)].length
      for (const name of names)
        t.match(name, endpoints > 1 ? /^[A-Z_]+_SECRETS$/ : /^RIVERHOOK_SECRETS$/, `${document}: ${name}`)
    }
  t.ok(count > 20)
})
