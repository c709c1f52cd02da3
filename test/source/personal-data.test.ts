import t from 'tap'

import { usualPersonalPaths } from '../../src/model/personal-paths.ts'
import { loadSource, sourceNames } from '../../src/options/source-by-name.ts'
import { Redaction } from '../../src/payload/redaction.ts'
import type { Source } from '../../src/index.ts'

// Risk: the buyers of a shop that uses another provider than the default one are shown to everyone.

/** Part of every text that must not be shown. */
const canary = 'CANARY'
let count = 0
/** A name, a text or a link. */
const secret = (): string => {
  count += 1
  return `${canary}${count}`
}
const email = (): string => `${secret().toLowerCase()}@x.example`
const address = (): object => ({ line1: secret(), city: secret(), postal_code: secret(), country: 'DE' })

interface Example {
  /** A body with the fields that the provider documents, and `CANARY` in each that is personal. */
  readonly body: object
  readonly headers?: Readonly<Record<string, string>>
  /** Search keys that are shown. */
  readonly about?: readonly string[]
}

const examples: Readonly<Record<string, readonly Example[]>> = {
  stripe: [
    {
      body: {
        id: 'evt_1',
        type: 'checkout.session.completed',
        created: 1,
        data: {
          object: {
            id: 'cs_1',
            object: 'checkout.session',
            customer: 'cus_1',
            customer_email: email(),
            customer_details: {
              email: email(),
              name: secret(),
              phone: secret(),
              address: address(),
              tax_ids: [{ value: secret() }]
            },
            shipping_details: { name: secret(), address: address() },
            custom_fields: [{ key: 'engraving', text: { value: secret() } }],
            client_secret: secret(),
            url: `https://checkout.example/${secret()}`
          }
        }
      },
      about: ['cs_1', 'cus_1']
    },
    {
      body: {
        id: 'evt_2',
        type: 'charge.succeeded',
        created: 1,
        data: {
          object: {
            id: 'ch_1',
            receipt_email: email(),
            receipt_url: `https://pay.example/${secret()}`,
            billing_details: { email: email(), name: secret(), phone: secret(), address: address() },
            shipping: { name: secret(), phone: secret(), address: address(), carrier: 'DHL' },
            payment_method_details: { card: { last4: secret(), fingerprint: secret(), brand: 'visa' } },
            payment_intent: 'pi_1'
          }
        }
      },
      about: ['ch_1', 'pi_1']
    },
    {
      body: {
        id: 'evt_3',
        type: 'customer.updated',
        created: 1,
        data: {
          object: { id: 'cus_1', name: secret(), email: email(), phone: secret(), address: address() },
          previous_attributes: { name: secret(), email: email() }
        }
      },
      about: ['cus_1']
    },
    {
      body: {
        id: 'evt_4',
        type: 'invoice.paid',
        created: 1,
        data: {
          object: {
            id: 'in_1',
            customer: { id: 'cus_1', name: secret(), email: email() },
            customer_name: secret(),
            customer_phone: secret(),
            customer_address: address(),
            customer_shipping: { name: secret(), address: address() },
            customer_tax_ids: [{ type: 'eu_vat', value: secret() }],
            hosted_invoice_url: `https://invoice.example/${secret()}`,
            invoice_pdf: `https://invoice.example/${secret()}.pdf`
          }
        }
      },
      about: ['in_1', 'cus_1']
    }
  ],
  shopify: [
    {
      headers: { 'x-shopify-topic': 'orders/create', 'x-shopify-webhook-id': 'w1' },
      body: {
        id: 450_789_469,
        name: '#1001',
        email: email(),
        contact_email: email(),
        phone: secret(),
        browser_ip: secret(),
        note: secret(),
        note_attributes: [{ name: 'gift', value: secret() }],
        client_details: { browser_ip: secret(), user_agent: secret() },
        order_status_url: `https://shop.example/${secret()}`,
        customer: {
          id: 207,
          email: email(),
          first_name: secret(),
          last_name: secret(),
          phone: secret(),
          default_address: { name: secret(), company: secret(), address1: secret(), city: secret(), zip: secret() }
        },
        billing_address: { first_name: secret(), address1: secret(), latitude: secret(), name: secret() },
        shipping_address: { last_name: secret(), address2: secret(), phone: secret(), name: secret() },
        payment_details: { credit_card_number: secret(), credit_card_name: secret() },
        line_items: [{ title: 'T-shirt', properties: [{ name: 'print', value: secret() }] }]
      },
      about: ['450789469', '#1001', '207']
    }
  ],
  adyen: [
    {
      body: {
        live: 'false',
        notificationItems: [
          {
            NotificationRequestItem: {
              pspReference: 'psp1',
              merchantReference: 'order-1',
              eventCode: 'AUTHORISATION',
              success: 'true',
              reason: `033899:${secret()}:10/2030`,
              additionalData: {
                shopperReference: 'shopper-1',
                shopperEmail: email(),
                shopperName: secret(),
                'shopperName.firstName': secret(),
                shopperTelephone: secret(),
                shopperIP: secret(),
                shopperSocialSecurityNumber: secret(),
                cardHolderName: secret(),
                cardSummary: secret(),
                ownerName: secret(),
                iban: secret(),
                'bankAccount.ownerName': secret(),
                'billingAddress.street': secret(),
                'billingAddress.city': secret(),
                'deliveryAddress.postalCode': secret(),
                paypalPayerId: secret(),
                dateOfBirth: secret()
              }
            }
          }
        ]
      },
      about: ['psp1', 'order-1', 'shopper-1']
    }
  ],
  payPal: [
    {
      body: {
        id: 'WH-1',
        event_type: 'CHECKOUT.ORDER.APPROVED',
        resource: {
          id: 'O-1',
          payer: {
            payer_id: 'P1',
            email_address: email(),
            name: { given_name: secret(), surname: secret() },
            phone: { phone_number: { national_number: secret() } },
            birth_date: secret(),
            address: { address_line_1: secret(), admin_area_2: secret(), postal_code: secret() }
          },
          payment_source: {
            paypal: { email_address: email(), name: { given_name: secret() } },
            card: { name: secret(), last_digits: secret() }
          },
          purchase_units: [
            { custom_id: 'C1', shipping: { name: { full_name: secret() }, address: { address_line_1: secret() } } }
          ]
        }
      },
      about: ['o-1', 'c1', 'p1']
    },
    {
      body: {
        id: 'WH-2',
        event_type: 'PAYMENT.PAYOUTS-ITEM.SUCCEEDED',
        resource: {
          payout_batch_id: 'B1',
          payout_item: { receiver: secret(), recipient_name: secret(), note: secret() }
        }
      },
      about: ['b1']
    },
    {
      body: {
        id: 'WH-3',
        event_type: 'CUSTOMER.DISPUTE.CREATED',
        resource: {
          dispute_id: 'D1',
          messages: [{ posted_by: 'BUYER', content: secret() }],
          disputed_transactions: [{ buyer: { name: secret(), email: email() } }]
        }
      },
      about: ['d1']
    },
    {
      body: {
        id: 'WH-4',
        event_type: 'BILLING.SUBSCRIPTION.CREATED',
        resource: {
          id: 'I-1',
          subscriber: {
            email_address: email(),
            name: { given_name: secret() },
            shipping_address: { name: { full_name: secret() } }
          }
        }
      },
      about: ['i-1']
    }
  ],
  fastSpring: [
    {
      body: {
        id: 'f1',
        type: 'order.completed',
        data: {
          id: 'o1',
          order: 'o1',
          reference: 'R1',
          account: { id: 'a1', contact: { first: secret(), email: email() }, url: `https://x.example/${secret()}` },
          customer: { first: secret(), last: secret(), email: email(), company: secret(), phone: secret() },
          address: { city: secret(), postalCode: secret(), display: secret() },
          recipients: [{ recipient: { first: secret(), email: email(), address: { addressLine1: secret() } } }],
          payment: { type: 'card', cardEnding: secret() },
          invoiceUrl: `https://x.example/${secret()}`
        }
      },
      about: ['o1', 'r1', 'a1']
    }
  ],
  zoom: [
    {
      body: {
        event: 'meeting.participant_joined',
        event_ts: 1,
        download_token: secret(),
        payload: {
          operator: secret(),
          object: {
            id: 'm1',
            uuid: 'u1',
            topic: secret(),
            host_id: 'h1',
            host_email: email(),
            join_url: `https://x.example/${secret()}`,
            password: secret(),
            participant: {
              user_id: 'p1',
              user_name: secret(),
              email: email(),
              public_ip: secret(),
              private_ip: secret()
            },
            registrant: { first_name: secret(), comments: secret() }
          }
        }
      },
      about: ['m1', 'u1', 'h1', 'p1']
    },
    {
      body: {
        event: 'phone.callee_ended',
        event_ts: 1,
        payload: {
          object: {
            caller: { phone_number: secret(), name: secret() },
            callee_number: secret(),
            recording: { download_url: secret() }
          }
        }
      }
    }
  ],
  meta: [
    {
      body: {
        object: 'whatsapp_business_account',
        entry: [
          {
            id: 'w1',
            changes: [
              {
                field: 'messages',
                value: {
                  metadata: { display_phone_number: secret(), phone_number_id: secret() },
                  contacts: [{ profile: { name: secret() }, wa_id: secret() }],
                  messages: [
                    {
                      id: 'wamid1',
                      from: secret(),
                      type: 'text',
                      text: { body: secret() },
                      image: { caption: secret() }
                    }
                  ],
                  statuses: [{ id: 'wamid2', recipient_id: secret(), status: 'sent' }]
                }
              }
            ]
          }
        ]
      },
      about: ['wamid1', 'wamid2', 'w1']
    },
    {
      body: {
        object: 'page',
        entry: [
          {
            id: 'p1',
            messaging: [
              { sender: { id: 's1' }, message: { mid: 'mid1', text: secret(), attachments: [{ url: secret() }] } }
            ]
          }
        ]
      },
      about: ['mid1', 's1', 'p1']
    },
    {
      body: {
        object: 'page',
        entry: [
          {
            id: 'p1',
            changes: [
              { field: 'feed', value: { post_id: 'post1', from: { id: 'f1', name: secret() }, message: secret() } }
            ]
          }
        ]
      },
      about: ['post1', 'p1']
    }
  ],
  paddle: [
    {
      body: {
        event_id: 'e1',
        event_type: 'customer.updated',
        data: { id: 'ctm_1', name: secret(), email: email() }
      },
      about: ['ctm_1']
    },
    {
      body: {
        event_id: 'e2',
        event_type: 'address.created',
        data: {
          id: 'add_1',
          first_line: secret(),
          second_line: secret(),
          city: secret(),
          postal_code: secret(),
          customer_id: 'ctm_1'
        }
      },
      about: ['add_1', 'ctm_1']
    },
    {
      body: {
        event_id: 'e3',
        event_type: 'business.created',
        data: {
          id: 'biz_1',
          name: secret(),
          company_number: secret(),
          tax_identifier: secret(),
          contacts: [{ name: secret(), email: email() }]
        }
      },
      about: ['biz_1']
    },
    {
      body: {
        event_id: 'e4',
        event_type: 'transaction.completed',
        data: {
          id: 'txn_1',
          payments: [{ method_details: { card: { last4: secret(), cardholder_name: secret() } } }],
          management_urls: { cancel: secret() }
        }
      },
      about: ['txn_1']
    }
  ],
  github: [
    {
      headers: { 'x-github-event': 'push', 'x-github-delivery': 'g1' },
      body: {
        after: 'abc',
        repository: {
          full_name: 'octo/hello',
          ssh_url: 'git@github.com:octo/hello.git',
          owner: { name: secret(), email: email() }
        },
        pusher: { name: secret(), email: email() },
        sender: { login: 'octocat' },
        commits: [
          {
            id: 'c1',
            author: { name: secret(), email: email(), username: secret() },
            committer: { name: secret(), email: email() }
          }
        ],
        head_commit: { author: { name: secret(), email: email() } }
      },
      // The login of an account is public.
      about: ['octo/hello', 'abc', 'octocat']
    }
  ],
  sendGrid: [
    {
      body: {
        event: 'bounce',
        email: email(),
        sg_event_id: 's1',
        sg_message_id: 'm1',
        'smtp-id': `<${secret()}@mail.example>`,
        ip: secret(),
        useragent: secret(),
        url: `https://x.example/?r=${secret()}`,
        reason: `550 5.1.1 <${email()}>`,
        response: `250 ok ${secret()}`
      },
      about: ['m1']
    }
  ],
  slack: [
    {
      body: {
        type: 'event_callback',
        event_id: 'Ev1',
        event_time: 1,
        team_id: 'T1',
        token: secret(),
        event: {
          type: 'message',
          channel: 'C1',
          user: 'U1',
          ts: '1.2',
          text: secret(),
          blocks: [{ elements: [{ text: secret() }] }],
          files: [{ name: secret(), url_private: secret() }],
          profile: { real_name: secret(), email: email() }
        }
      },
      about: ['c1', 'u1', '1.2', 't1']
    }
  ],
  cloudEvents: [
    {
      headers: { 'content-type': 'application/cloudevents+json' },
      body: {
        specversion: '1.0',
        id: 'c1',
        source: '/shop',
        type: 'com.example.order',
        subject: 'orders/1',
        data: { email: email(), firstName: secret(), address: address(), customer: { name: secret() } },
        data_base64: secret()
      },
      about: ['c1', 'orders/1', '/shop']
    }
  ],
  sns: [
    {
      body: {
        Type: 'Notification',
        MessageId: 'm1',
        TopicArn: 'arn:aws:sns:eu:1:orders',
        Timestamp: '2026-01-01T00:00:00Z',
        Subject: secret(),
        Message: JSON.stringify({ mail: { destination: [email()] } }),
        MessageAttributes: { to: { Type: 'String', Value: secret() } },
        UnsubscribeURL: `https://x.example/${secret()}`
      },
      about: ['arn:aws:sns:eu:1:orders']
    }
  ],
  standardWebhooks: [
    {
      headers: { 'webhook-id': 'msg_1' },
      body: {
        type: 'user.created',
        data: {
          id: 'user_1',
          email_addresses: [{ email_address: email() }],
          phone_numbers: [{ phone_number: secret() }],
          first_name: secret(),
          last_name: secret(),
          username: secret(),
          to: [email()]
        }
      }
    }
  ]
}

/** All texts in a value. */
function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : []
}

const redactionOf = ({ redact = usualPersonalPaths }: Source): Redaction => new Redaction(redact)

t.test(
  'every source by name has an example, except the default one (its schemas are tested), and the second name of one',
  async (t) => {
    t.same(Object.keys(examples).sort(), sourceNames.filter((name) => !['digitalRiver', 'svix'].includes(name)).sort())
  }
)

for (const [name, all] of Object.entries(examples))
  t.test(`${name}: names and addresses are redacted in payloads, search keys and errors`, async (t) => {
    const source = (await loadSource(name)) as Source
    for (const { body, headers = {}, about = [] } of all) {
      const bytes = Buffer.from(JSON.stringify(body))
      const redaction = redactionOf(source)
      const masked = redaction.json(bytes) ?? ''
      t.notMatch(masked, /CANARY\d*/i)
      t.notMatch(masked, /@/)
      const reading = source.read({ headers, body: bytes })
      t.equal(reading.ok, true, JSON.stringify(reading))
      const hide = redaction.hiderOf(bytes)
      const keys = reading.ok ? (source.keysOf?.(reading.event) ?? []).map((key) => String(key).toLowerCase()) : []
      const shown = [...new Set(keys)].filter((key) => hide(key) === key)
      t.same(shown, about, 'ids are shown')
      for (const value of textsIn(body).filter((text) => text.toUpperCase().includes(canary)))
        t.notMatch(hide(`the ERP refused ${value}, sorry`), /CANARY/i, value)
    }
  })

t.test('the first search key, which lists show as the resource, is no personal one', async (t) => {
  for (const [name, all] of Object.entries(examples)) {
    const source = (await loadSource(name)) as Source
    for (const { body, headers = {} } of all) {
      const reading = source.read({ headers, body: Buffer.from(JSON.stringify(body)) })
      const first = reading.ok ? (source.keysOf?.(reading.event) ?? []).find((key) => !String(key).includes('@')) : ''
      t.notMatch(String(first), /CANARY/i, name)
    }
  }
})

t.test('the sample of a source shows nothing personal', async (t) => {
  for (const name of sourceNames) {
    const source = (await loadSource(name)) as Source
    const sample = source.sample?.({ id: 's1', at: new Date(), liveMode: false })
    if (sample !== undefined) t.notMatch(redactionOf(source).json(Buffer.from(JSON.stringify(sample))), /@/, name)
  }
})
