// Events of shops and payments with the personal fields that their providers document.

/** Part of every text that must not be shown. */
export const canary = 'CANARY'
let count = 0
/** A name, a text or a link. */
export const secret = (): string => {
  count += 1
  return `${canary}${count}`
}
export const email = (): string => `${secret().toLowerCase()}@x.example`
export const address = (): object => ({ line1: secret(), city: secret(), postal_code: secret(), country: 'DE' })

export interface Example {
  /** A body with the fields that the provider documents, and `CANARY` in each that is personal. */
  readonly body: object
  readonly headers?: Readonly<Record<string, string>>
  /** Search keys that are shown. */
  readonly about?: readonly string[]
}

export const shops: Readonly<Record<string, readonly Example[]>> = {
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
  ]
}
