import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'

import { privateFolder } from '../../src/cli/compile-cache.ts'
import { unsupportedRuntime } from '../../src/runtime.ts'

// What a user would lose: a sentence instead of a SyntaxError, and an account that other users of the machine cannot
// take over.

t.test('an unsupported runtime is named, with what is needed', (t) => {
  const refused: [Record<string, string>, RegExp][] = [
    [{ node: '20.19.0' }, /needs Node\.js 22\.18 or newer; this is v20\.19\.0/],
    [{ node: '22.17.9' }, /this is v22\.17\.9/],
    [{ node: '24.3.0', bun: '1.2.3' }, /this is Bun 1\.2\.3/],
    [{ node: '24.3.0', deno: '2.4.0' }, /this is Deno 2\.4\.0/]
  ]
  for (const [versions, text] of refused) t.match(unsupportedRuntime(versions), text)
  for (const node of ['22.18.0', '22.20.1', '24.0.0', '100.1.0']) t.equal(unsupportedRuntime({ node }), undefined, node)
  t.end()
})

t.test(
  'compiled code is kept only where nobody else can put some',
  { skip: process.platform === 'win32' && 'Windows has no modes' },
  (t) => {
    const root = mkdtempSync(join(tmpdir(), 'riverhook-'))
    t.teardown(() => {
      rmSync(root, { recursive: true })
    })
    const shared = join(root, 'shared')
    mkdirSync(join(shared, 'mine'), { recursive: true, mode: 0o700 })

    t.match(privateFolder(join(root, 'made/for/it')), /made\/for\/it$/, 'a folder is made')
    t.equal(privateFolder(join(shared, 'mine')), join(shared, 'mine'))
    for (const mode of [0o777, 0o770, 0o702]) {
      chmodSync(join(shared, 'mine'), mode)
      t.equal(
        privateFolder(join(shared, 'mine')),
        undefined,
        `others can write to or read one of mode ${mode.toString(8)}`
      )
    }
    chmodSync(join(shared, 'mine'), 0o700)
    chmodSync(shared, 0o777)
    t.equal(privateFolder(join(shared, 'mine')), undefined, 'others can replace what lies in a shared folder')
    chmodSync(shared, 0o1777)
    t.equal(privateFolder(join(shared, 'mine')), join(shared, 'mine'), 'not so with the sticky bit')
    symlinkSync(join(shared, 'mine'), join(root, 'link'))
    chmodSync(shared, 0o777)
    t.equal(privateFolder(join(root, 'link')), undefined, 'a link is judged by where it leads')
    t.notOk(existsSync(join(shared, 'mine', 'compiled')))
    t.end()
  }
)
