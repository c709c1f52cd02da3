import { fork } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import t from 'tap'

// Risk: the process, for anyone who can reach the port. The server runs in a separate process, so that its memory can
// be measured separately from the client's.

const size = 200 * 1024 * 1024
const chunk = Buffer.alloc(256 * 1024, 0x61)

t.test('an unsigned body of 200 MiB leaves the process’s memory unchanged', async (t) => {
  const server = fork(new URL('./flood-server.ts', import.meta.url), {
    execArgv: ['--conditions=riverhook-source', '--expose-gc']
  })
  t.teardown(() => server.kill())
  const [url] = (await once(server, 'message')) as [string]
  const ask = async (what: 'memory' | 'peak'): Promise<number> => {
    server.send(what)
    const [bytes] = (await once(server, 'message')) as [number]
    return bytes
  }
  const before = await ask('memory')
  for (const headers of [{ 'content-length': String(size) }, { 'transfer-encoding': 'chunked' }]) {
    const status = await flood(url, headers)
    t.ok(status === 413 || status === 'cut off', `${JSON.stringify(headers)}: ${status}`)
    const growth = (await ask('peak')) - before
    t.ok(growth < 8 * 1024 * 1024, `grew by ${(growth / 1024 / 1024).toFixed(1)} MiB`)
  }
})

/** Sends until everything is sent or the server closes the connection. */
async function flood(url: string, headers: Record<string, string>): Promise<number | 'cut off'> {
  const { promise, resolve } = Promise.withResolvers<number | 'cut off'>()
  const post = request(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers } })
  post.on('response', (response) => {
    response.resume()
    resolve(response.statusCode ?? 0)
  })
  post.on('error', () => {
    resolve('cut off')
  })
  let sent = 0
  const more = (): void => {
    while (sent < size && !post.destroyed) {
      sent += chunk.byteLength
      if (!post.write(chunk)) {
        post.once('drain', more)
        return
      }
    }
    post.end()
  }
  more()
  const status = await promise
  post.destroy()
  return status
}
