import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

import { isQuick } from '../../src/cli/is-quick.ts'
import { run as runQuick } from '../../src/cli/quick.ts'
import { run } from '../../src/cli/program.ts'
import { sqliteInbox } from '../../src/inbox/sqlite/engine.ts'
import { makeFolder } from '../folder.ts'
import { runProcess } from '../processes.ts'
import { arrival } from '../inbox/arrivals.ts'
import { runHere } from './rig.ts'

// Risk: a command prints something else, or reads another inbox, because it has all that it uses in one file.

t.test('quick commands print and return the same as the program with all commands', async (t) => {
  const folder = makeFolder(t, { 'text.db': 'a text that is long enough to be taken for a file of SQLite'.repeat(20) })
  const path = join(folder, 'inbox.db')
  // More than an hour ago: nothing becomes overdue between two runs.
  const inbox = sqliteInbox({ path, clock: () => Date.now() - 80 * 60_000 })
  await inbox.open()
  await inbox.record([arrival('1', ['h']), arrival('2', ['h', 'other'])])
  await inbox.pause('h', { actor: { name: 'anna', via: 'code' }, action: 'pause', target: 'h' })
  const sealed = `sqlite:${join(folder, 'sealed.db')}`
  const keys = `k1:${Buffer.alloc(32, 1).toString('base64')}`
  await inbox.close()
  const env = { RIVERHOOK_INBOX: `sqlite:${path}` }
  const first = await runHere(run, ['inbox', 'migrate'], { RIVERHOOK_INBOX: sealed, RIVERHOOK_ENCRYPTION_KEYS: keys })
  t.equal(first.code, 0, first.stderr)
  for (const args of [
    ['stats'],
    ['stats', '--json'],
    ['stats', '--realm', 'live'],
    ['stats', '--realm', 'none'],
    ['stats', '--help'],
    ['stats', '--jsno'],
    ['stats', 'more'],
    ['stats', '--inbox', `sqlite:${join(folder, 'none.db')}`],
    ['stats', '--inbox', `sqlite:${join(folder, 'text.db')}`],
    ['stats', '--inbox', `sqlite:${folder}`],
    ['stats', '--inbox', sealed],
    ['audit'],
    ['audit', '--json', '--limit', '1'],
    ['audit', '--since', 'now'],
    ['audit', '--since', '1h'],
    ['audit', '--limit', '0'],
    ['handlers', 'list'],
    ['handlers', 'list', '--json'],
    ['handlers', 'list', '-h'],
    ['handlers', 'list', '--inbox']
  ]) {
    t.ok(isQuick(args, env, folder) || args.at(-1) === '--inbox', args.join(' '))
    const [expected, told] = [await runHere(run, args, env), await runHere(runQuick, args, env)]
    t.not(expected.stdout + expected.stderr, '', args.join(' '))
    t.same({ ...told, stdout: timeless(told.stdout) }, { ...expected, stdout: timeless(expected.stdout) })
  }
})

/** The output without what is counted from now. */
function timeless(text: string): string {
  return text.replaceAll(/\d+ s\b|(?<="lastDay":\{"since":")[^"]+/g, '')
}

t.test('a command is quick only for a SQLite inbox in a folder without a configuration', (t) => {
  const folder = makeFolder(t, {})
  const is = (args: readonly string[], env = {}): boolean => isQuick(args, env, folder)
  t.ok(is(['stats']) && is(['audit', '--json']) && is(['handlers', 'list']))
  t.ok(is(['stats', '--inbox', 'sqlite:a.db']) && is(['stats', '--inbox=sqlite:a.db']))
  t.ok(is(['stats'], { RIVERHOOK_INBOX: 'sqlite:a.db', RIVERHOOK_SECRETS: 'x' }))
  for (const args of [[], ['serve'], ['handlers'], ['handlers', 'pause', 'list'], ['events', 'list'], ['toString']])
    t.notOk(is(args), args.join(' '))
  for (const inbox of ['postgres://a/b', 'memory:', 'sqlite:', 'a.db', ''])
    t.notOk(
      is(['stats', '--inbox', inbox]) || is(['stats', `--inbox=${inbox}`]) || is(['stats'], { RIVERHOOK_INBOX: inbox }),
      inbox
    )
  t.notOk(is(['stats', '--inbox', 'sqlite:a.db', '--inbox', 'postgres://a/b']))
  for (const name of ['CONFIG', 'SOURCE', 'INBOX_FILE', 'ENCRYPTION_KEYS', 'ENCRYPTION_KEYS_FILE'])
    t.notOk(is(['stats'], { [`RIVERHOOK_${name}`]: '' }), name)
  writeFileSync(join(folder, 'riverhook.config.mjs'), '')
  t.notOk(is(['stats']), 'a config file')
  t.notOk(isQuick(['stats'], {}, makeFolder(t, { '.riverhook': { 'dev.json': '{}' } })), 'riverhook dev')
  t.end()
})

t.test('in a folder that was deleted, the help is printed as in any other', async (t) => {
  const path = JSON.stringify(new URL('../../src/cli/main.ts', import.meta.url).href)
  const gone = JSON.stringify(join(makeFolder(t, { gone: {} }), 'gone'))
  const { code, stdout, stderr } = await runProcess(process.execPath, [
    '--conditions=riverhook-source',
    '--input-type=module',
    '--eval',
    `
    import { rmdirSync } from 'node:fs'
    process.chdir(${gone})
    rmdirSync(${gone})
    process.argv.push('riverhook', '--help')
    await import(${path})
    `
  ])
  t.equal(code, 0, stderr)
  t.ok(stdout.startsWith('Usage: riverhook'), stdout)
})
