import { browserTest } from './browser.ts'
import { startHost } from './rig.ts'
import { views } from './views.ts'

// Risk: who can send an event runs a script in the operator's browser, or hides in the list what it is.

const hostile = [
  '<img src=x onerror=alert(1)>',
  '</script><script>alert(1)</script>',
  'javascript:alert(1)',
  '"><svg onload=alert(1)>',
  '\u202egnp.exe',
  '__proto__',
  'constructor',
  '\ud800 half',
  '{{7*7}}${7*7}'
]

browserTest('hostile text is text, in every view', async (t, open) => {
  const host = await startHost(t)
  host.app.riverhook.inbox.flag([])
  const object = Object.fromEntries(hostile.map((text) => [text, { [text]: [text, 'long '.repeat(10_000)] }]))
  const id = '<img src=x onerror=alert(2)>/../?#%'
  const body = Buffer.from(
    JSON.stringify({
      id,
      type: 'order.<img src=x onerror=alert(3)>\u202e',
      liveMode: false,
      createdTime: new Date().toISOString(),
      data: {
        object: {
          id: hostile[0],
          email: '<b>@x.example',
          ...object,
          ['__proto__x']: JSON.parse('{"__proto__":{"a":1}}')
        }
      }
    })
  )
  host.erp = () => {
    throw new Error(hostile.join('\n'))
  }
  await host.sendRaw(body)
  await host.sendRaw(
    Buffer.from(JSON.stringify({ id: hostile[0], type: '<img src=x onerror=alert(4)>', data: hostile }))
  )
  await host.app.riverhook.startReplay({ about: '<b>@x.example' })
  const page = await open(host.url)
  for (const { path, heading } of views(id)) {
    await page.goto(host.url + path)
    await page.getByRole('heading', { name: heading }).first().waitFor()
    await page.waitForLoadState('networkidle')
    t.equal(await page.locator('main img, main script, main svg[onload]').count(), 0, `${path}: no element of a sender`)
    t.notMatch(
      await page.locator('main').innerText(),
      /\u202e/,
      `${path}: what changes the order of characters is an escape`
    )
  }
  await page.goto(`${host.url}events/digital-river/${encodeURIComponent(id)}`)
  await page.getByRole('heading', { name: 'Payload' }).waitFor()
  const closed = page.locator('.tree details:not([open]) > summary')
  while ((await closed.count()) > 0) await closed.first().click()
  await page.getByRole('button', { name: 'Raw' }).click()
  t.match(await page.locator('.raw').innerText(), /<img src=x onerror=alert\(1\)>/)
})

browserTest('the guard: the browser itself refuses text as HTML, inline scripts and other origins', async (t, open) => {
  const host = await startHost(t)
  const answer = await fetch(host.url)
  t.match(answer.headers.get('content-security-policy'), /default-src 'none'.*require-trusted-types-for 'script'/)
  t.equal(answer.headers.get('x-frame-options') === null, false)
  const page = await open(host.url, { allowed: /TrustedHTML/ })
  await page.locator('h1').waitFor()
  const refused = await page.evaluate(
    `(() => { try { document.body.innerHTML = '<b>x</b>'; return 'allowed' } catch (error) { return error.name } })()`
  )
  t.equal(refused, 'TypeError')
})
