import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'

import { privateFolder } from '../../src/cli/compile-cache.ts'
import { unsupportedRuntime } from '../../src/runtime.ts'

// Risk: a SyntaxError instead of a sentence, or an account that other users of the machine can take over.

t.test('an unsupported runtime is reported, with the required version', (t) => {
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
  'compiled code is cached only where no other user can write',
  { skip: process.platform === 'win32' && 'Windows has no modes' },
  (t) => {
    const root = mkdtempSync(join(tmpdir(), 'riverhook-'))
    t.teardown(() => {
      rmSync(root, { recursive: true })
    })
    const shared = join(root, 'shared')
    mkdirSync(join(shared, 'mine'), { recursive: true, mode: 0o700 })

    t.match(privateFolder(join(root, 'made/for/it')), /made\/for\/it$/, 'the folder is created')
    t.equal(privateFolder(join(shared, 'mine')), join(shared, 'mine'))
    for (const mode of [0o777, 0o770, 0o702]) {
      chmodSync(join(shared, 'mine'), mode)
      t.equal(
        privateFolder(join(shared, 'mine')),
        undefined,
        `others can write to or read a folder of mode ${mode.toString(8)}`
      )
    }
    chmodSync(join(shared, 'mine'), 0o700)
    chmodSync(shared, 0o777)
    t.equal(privateFolder(join(shared, 'mine')), undefined, 'others can replace files in a shared folder')
    chmodSync(shared, 0o1777)
    t.equal(privateFolder(join(shared, 'mine')), join(shared, 'mine'), 'the sticky bit prevents this')
    symlinkSync(join(shared, 'mine'), join(root, 'link'))
    chmodSync(shared, 0o777)
    t.equal(privateFolder(join(root, 'link')), undefined, 'a link is judged by its target')
    t.notOk(existsSync(join(shared, 'mine', 'compiled')))
    t.end()
  }
)
