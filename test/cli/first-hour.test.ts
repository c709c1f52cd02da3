import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

import { buildPage } from '../../src/page/build.ts'
import { makeFolder } from '../folder.ts'
import { runCli } from '../processes.ts'
import { snippets } from '../readme-snippets.ts'
import { onTerminal, skip, tooWide } from './on-terminal.ts'

// Risk: a newcomer who follows the documents is stopped before the first replay.

const snippet = (name: string): string => snippets.get(name) ?? ''

/** The commands of a snippet, without npx, which test/package/recipes.ts runs. */
const commandsIn = (name: string): string[][] =>
  snippet(name)
    .trim()
    .split('\n')
    .map((line) => line.replace('npx riverhook ', '').split(' '))

t.test(
  'getting started: the first event, a dead letter, its replay by a command and in the page',
  { skip },
  async (t) => {
    await buildPage()
    const cwd = makeFolder(t, { 'package.json': '{ "type": "module" }', handlers: { 'first.ts': snippet('repaired') } })
    const save = async (name: string, reloads: number): Promise<void> => {
      writeFileSync(join(cwd, 'handlers/first.ts'), snippet(name))
      await dev.until(new RegExp(`(reloaded in[^]*){${reloads}}`))
    }
    const [dev80 = []] = commandsIn('check it').filter(([word]) => word === 'dev')
    const dev = onTerminal(t, 80, [...dev80, '--port', '0'].join(' '), cwd)
    const ready = await dev.until(/Ctrl-C to stop/)
    dev.type('t')
    await dev.until(/→ order\.accepted \S{4} 202 [\d.]+ ms\n· first: ship it order="\d+"\n✓ first [\d.]+ ms\n/)
    await save('failing', 1)
    dev.type('t')
    await dev.until(/✗ first gave up: no stock for order \d+\n {4}at handlers\/first\.ts:4:9\n/)
    await save('repaired', 2)
    const [list = [], replay = []] = commandsIn('replay')
    t.match(await runCli(list, { cwd }), { code: 0, stdout: /order\.accepted +dead 1/ })
    t.match(await runCli([...replay, '--yes'], { cwd }), { code: 0 })
    await dev.until(/(✓ first [^]*){2}/)
    t.match(await runCli(list, { cwd }), { code: 0, stdout: /^(?!.*dead 1)/s })
    for (const again of commandsIn('replay done')) t.match(await runCli([...again, '--yes'], { cwd }), { code: 0 })
    await dev.until(/(✓ first [^]*){4}/)

    // The calls of the page; test/page clicks on it.
    const [, page = '', token = ''] = /(http:\S+\/)#token=(\S+)\n/.exec(ready) ?? []
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const listed = (await (await fetch(`${page}api/v1/events`, { headers })).json()) as {
      readonly events: readonly [{ readonly realm: string; readonly id: string }]
    }
    const [{ realm, id }] = listed.events
    const body = JSON.stringify({ event: { realm, id }, handlers: ['first'], includeDone: true })
    t.match(await fetch(`${page}api/v1/event/replay`, { method: 'POST', headers, body }), { status: 200 })
    await dev.until(/(✓ first [^]*){5}/)
    const view = readFileSync(new URL('../../src/page/event/event.tsx', import.meta.url), 'utf8')
    t.match(view, /label="Replay…"/, 'the button has the name that the document says')
    t.same(tooWide(dev.lines, 80), [])
    dev.type('\x03')
    t.same(await dev.ended, [0, null])
  }
)
