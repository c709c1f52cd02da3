/** The place of the event's id in a body made by `eventBody`: 36 characters from here. */
export const idOffset = '{"id":"'.length

/** An Event of exactly `bytes` bytes, with a zero id that is to be overwritten in place. */
export function eventBody(bytes: number): Buffer {
  const items: unknown[] = []
  let text = ''
  // Many small fields, as in real events, because one long string would flatter every parser.
  for (;;) {
    const next = JSON.stringify(event(items))
    if (next.length > bytes) break
    text = next
    items.push(item(items.length))
  }
  if (text === '') throw new RangeError(`An event of ${bytes} bytes is too small to be one`)
  const pad = bytes - text.length
  return Buffer.from(text.replace('"upstreamId":""', `"upstreamId":"${'x'.repeat(pad)}"`))
}

function event(items: readonly unknown[]): unknown {
  return {
    id: '00000000-0000-4000-8000-000000000000',
    type: 'order.accepted',
    data: {
      object: {
        id: '189887860336',
        createdTime: '2021-03-31T19:24:43Z',
        currency: 'USD',
        email: 'shopper@example.com',
        upstreamId: '',
        totalAmount: 120.99,
        state: 'accepted',
        liveMode: false,
        items
      }
    },
    liveMode: false,
    createdTime: '2021-03-31T19:24:47.317312Z',
    digitalriverVersion: '2021-12-13'
  }
}

function item(index: number): unknown {
  return {
    id: String(110_000 + index),
    skuId: `sku-${index}`,
    amount: 10.5,
    quantity: 1,
    state: 'created',
    tax: { rate: 0.0775, amount: 0.81 }
  }
}
