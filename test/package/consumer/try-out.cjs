const { createHmac } = require('node:crypto')

/** Mounts the plugin, sends one signed and one forged event, tries the test kit, and prints the results as JSON. */
exports.tryOut = async (Fastify, surface, testing, resources, sources) => {
  const secret = 'whk_00000000-0000-4000-8000-000000000001'
  const app = Fastify()
  // SQLite, because its worker thread is a file that must be found in the package.
  const inbox = `sqlite:${__dirname}/inbox-${process.pid}.db`
  await app.register(surface.riverhook, { path: '/webhooks', secrets: [secret], inbox })
  const handled = new Promise((resolve) => {
    app.riverhook.on('order.accepted', (event) => {
      resolve(event.id)
    })
  })
  await app.ready()

  const body = JSON.stringify({
    id: 'packed',
    type: 'order.accepted',
    data: { object: {} },
    liveMode: false,
    createdTime: '2021-03-31T19:24:47Z'
  })
  const at = Math.floor(Date.now() / 1000)
  const signature = createHmac('sha256', secret).update(`${at}.${body}`).digest('base64')
  const post = (header) =>
    app.inject({
      method: 'POST',
      url: '/webhooks',
      headers: { 'content-type': 'application/json', 'digitalriver-signature': header },
      body
    })
  const signed = await post(`${at}, ${signature}`)
  const forged = await post(`${at}, ${'A'.repeat(43)}=`)
  const { state: ran } = await testing.runHandler(
    surface.defineHandler('order.accepted', () => undefined),
    { type: 'order.accepted' }
  )
  const river = await testing.createDigitalRiver({ secret })
  const address = `${await app.listen({ port: 0, host: '127.0.0.1' })}/webhooks`
  river.addWebhook({ address, types: ['refund.failed'] })
  await river.emit('refund.failed')
  const simulated = river.attempts[0].status
  await river.close()
  const standard = sources.standardWebhooks()
  const whsec = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
  const headers = standard.sign({ body: Buffer.from(body), secret: whsec, at: new Date(), id: 'msg_1' })
  const { ok: verified } = standard.verifier([whsec]).verify({ headers, body: Buffer.from(body) }, new Date(), 1_000)
  process.stdout.write(
    JSON.stringify({
      // Node adds __esModule to a required module, for compilers that ask for it.
      names: Object.keys(surface)
        .filter((name) => name !== '__esModule')
        .sort(),
      signed: signed.statusCode,
      forged: forged.statusCode,
      handled: await handled,
      ran,
      simulated,
      verified,
      sample: resources.orderSchema.required.every(
        (field) => field in testing.sampleEvent('order.accepted').data.object
      )
    })
  )
  await app.close()
}
