import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'

import { makeFolder } from '../folder.ts'
import { cliHere } from './rig.ts'

// Risk: a secret that leaves its file, an event that is sent to another address, or a command that does not end.

async function answering(t: Test, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  t.teardown(() => {
    server.closeAllConnections()
  })
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

t.test('the signing secret is read from a file, so that no process list shows it', async (t) => {
  const folder = makeFolder(t, { 'secret.txt': 'whk_in-a-file\n', 'empty.txt': '', 'event.json': '{}' })
  const [secret, file] = [join(folder, 'secret.txt'), join(folder, 'event.json')]
  const headers: unknown[] = []
  const url = await answering(t, (request, response) => {
    headers.push(request.headers['digitalriver-signature'])
    response.end()
  })
  t.equal((await cliHere(['send', file, '--url', url, '--secret-file', secret])).code, 0)
  t.match(headers, [/^\d+, [A-Za-z0-9+/]{43}=$/])
  const both = await cliHere(['send', file, '--url', url, '--secret-file', secret, '--secret', 'whk_b'])
  t.same([both.code, both.stderr], [2, 'riverhook: Pass either --secret or --secret-file, not both\n'])
  for (const name of ['empty.txt', 'missing.txt']) {
    const { code, stderr } = await cliHere(['send', file, '--url', url, '--secret-file', join(folder, name)])
    t.ok(code === 1 || code === 2, name)
    t.match(stderr, name, 'the error names the file')
  }
  t.equal(headers.length, 1, 'nothing else was sent')
})

t.test('a redirect is shown and not followed', async (t) => {
  const folder = makeFolder(t, {})
  writeFileSync(join(folder, 'event.json'), '{}')
  let elsewhere = 0
  const other = await answering(t, (_request, response) => {
    elsewhere += 1
    response.end()
  })
  const url = await answering(t, (_request, response) => {
    response.writeHead(307, { location: other }).end()
  })
  const { code, stdout } = await cliHere(['send', join(folder, 'event.json'), '--url', url, '--secret', 'whk_a'])
  t.same([code, elsewhere], [1, 0])
  t.match(stdout, /^307 Temporary Redirect\nRedirects are not followed/)
})

t.test('an endless answer is cut', async (t) => {
  const folder = makeFolder(t, { 'event.json': '{}' })
  const url = await answering(t, (_request, response) => {
    const more = (): void => {
      while (response.write('x'.repeat(16_384))) if (response.destroyed) return
      response.once('drain', more)
    }
    more()
  })
  const { code, stdout } = await cliHere(['send', join(folder, 'event.json'), '--url', url, '--secret', 'whk_a'])
  t.equal(code, 0)
  t.match(stdout, /x… \(cut after 64 KiB\)\n$/)
})
