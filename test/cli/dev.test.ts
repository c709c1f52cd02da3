import t from 'tap'

import { buildPage } from '../../src/page/build.ts'
import { makeFolder } from '../folder.ts'
import { startCli } from '../processes.ts'

// Risk: the first thing that a person opens shows an error.
t.test('the address that npm start prints opens the page, and its token opens the API', async (t) => {
  await buildPage()
  const server = startCli(['dev', '--port', '0'], {}, makeFolder(t))
  t.teardown(() => server.kill('SIGKILL'))
  let output = ''
  for await (const chunk of server.stdout) {
    output += String(chunk)
    if (output.includes('Press Ctrl-C to stop')) break
  }
  const [, address = '', token = ''] = /open (http:\S+\/)#token=(\S+)\n/.exec(output) ?? []
  const page = await fetch(address)
  t.equal(page.status, 200)
  const html = await page.text()
  const [, script = ''] = /<script[^>]* src="([^"]+)"/.exec(html) ?? []
  t.equal((await fetch(new URL(script, address))).status, 200, 'its script')
  const headers = { authorization: `Bearer ${token}` }
  const list = await fetch(new URL('api/v1/events?state=dead', address), { headers })
  t.equal(list.status, 200)
  t.match(await list.json(), { events: [{ deliveries: [{ handler: 'renew-licence', state: 'dead' }] }] })
  t.equal((await fetch(new URL('api/v1/events', address))).status, 401, 'without the token')
})
