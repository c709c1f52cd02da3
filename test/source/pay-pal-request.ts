/**
 * A request that PayPal sent, with its certificate: from the test of PayPal's SDK for Java, `ValidateCertTest.java` and
 * `clientCertTest.crt` of https://github.com/paypal/PayPal-Java-SDK.
 */
export const payPalRequest = {
  webhook: '0FV983392A0531201',
  at: new Date('2019-08-29T10:49:33Z'),
  certificate: `-----BEGIN CERTIFICATE-----
MIIHijCCBnKgAwIBAgIQB3GqTB0N3B8PmVGEuwt6/zANBgkqhkiG9w0BAQsFADB1
MQswCQYDVQQGEwJVUzEVMBMGA1UEChMMRGlnaUNlcnQgSW5jMRkwFwYDVQQLExB3
d3cuZGlnaWNlcnQuY29tMTQwMgYDVQQDEytEaWdpQ2VydCBTSEEyIEV4dGVuZGVk
IFZhbGlkYXRpb24gU2VydmVyIENBMB4XDTE5MDQwMjAwMDAwMFoXDTIxMDUyNDEy
MDAwMFowgf0xHTAbBgNVBA8MFFByaXZhdGUgT3JnYW5pemF0aW9uMRMwEQYLKwYB
BAGCNzwCAQMTAlVTMRkwFwYLKwYBBAGCNzwCAQITCERlbGF3YXJlMRAwDgYDVQQF
EwczMDE0MjY3MQswCQYDVQQGEwJVUzETMBEGA1UECBMKQ2FsaWZvcm5pYTERMA8G
A1UEBxMIU2FuIEpvc2UxFTATBgNVBAoTDFBheVBhbCwgSW5jLjEYMBYGA1UECxMP
UGFydG5lciBTdXBwb3J0MTQwMgYDVQQDEyttZXNzYWdldmVyaWZpY2F0aW9uY2Vy
dHMuc2FuZGJveC5wYXlwYWwuY29tMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIB
CgKCAQEAhk0EEavi3s7O0rXkPQ3zWbW8gGISd0iP43Je+8Ydo3uqgSjoF6C0Ih+T
7kM9Vq/fa3TqcfEM5FFJBf8AxYrC1POfRknDTMZF2jvyMNoOvEKrGI/boZpR71LK
0ZQuLzXGbqzIcPE+PYcr75lVEITX7CdblXhup40XINGxhduFmEuf6qpqamGFXEW6
PnKgVIK7lRrahp6wFRySLp8uPYBmIY9oJdCzNJMgR6kH+qCTGexoFYM/bthn7UoI
2qpgaxR54OPdlalGLCZ95cU1av4cz4gvuT4w+0E67PJVefNInjTbxitRzmbmfDmy
4EACE5f5MvQl+/3fxh2J8esdBU8qZwIDAQABo4IDizCCA4cwHwYDVR0jBBgwFoAU
PdNQpdagre7zSmAKZdMh1Pj41g8wHQYDVR0OBBYEFD86g/8OQmYZVefgSxQDdoQ/
a+ObMDYGA1UdEQQvMC2CK21lc3NhZ2V2ZXJpZmljYXRpb25jZXJ0cy5zYW5kYm94
LnBheXBhbC5jb20wDgYDVR0PAQH/BAQDAgWgMB0GA1UdJQQWMBQGCCsGAQUFBwMB
BggrBgEFBQcDAjB1BgNVHR8EbjBsMDSgMqAwhi5odHRwOi8vY3JsMy5kaWdpY2Vy
dC5jb20vc2hhMi1ldi1zZXJ2ZXItZzIuY3JsMDSgMqAwhi5odHRwOi8vY3JsNC5k
aWdpY2VydC5jb20vc2hhMi1ldi1zZXJ2ZXItZzIuY3JsMEsGA1UdIAREMEIwNwYJ
YIZIAYb9bAIBMCowKAYIKwYBBQUHAgEWHGh0dHBzOi8vd3d3LmRpZ2ljZXJ0LmNv
bS9DUFMwBwYFZ4EMAQEwgYgGCCsGAQUFBwEBBHwwejAkBggrBgEFBQcwAYYYaHR0
cDovL29jc3AuZGlnaWNlcnQuY29tMFIGCCsGAQUFBzAChkZodHRwOi8vY2FjZXJ0
cy5kaWdpY2VydC5jb20vRGlnaUNlcnRTSEEyRXh0ZW5kZWRWYWxpZGF0aW9uU2Vy
dmVyQ0EuY3J0MAwGA1UdEwEB/wQCMAAwggF/BgorBgEEAdZ5AgQCBIIBbwSCAWsB
aQB2ALvZ37wfinG1k5Qjl6qSe0c4V5UKq1LoGpCWZDaOHtGFAAABad+/lkUAAAQD
AEcwRQIgT9BVT/eHgjGr6rUUYcQIhVFYnfZ6nJGGPTyIT7pOGvoCIQC9n9SpeR8a
RGMwCbxjRcPFxXMIpkdoKOWrYO4s0zjE9AB2AFYUBpov18Ls0/XhvUSyPsdGdrm8
mRFcwO+UmFXWidDdAAABad+/lsIAAAQDAEcwRQIgAYEuDGKo0fzMUu7gbgshzDc1
On5OUGEYPb7XxAhRcEcCIQCEMEo0Dg18DsTA3xfeGxGluPEERqCSPDJHw6DHLt7H
XgB3AId1v+dZfPiMQ5lfvfNu/1aNR1Y2/0q1YMG06v9eoIMPAAABad+/mJAAAAQD
AEgwRgIhAIfjNYkADzqs0QlTLWWKrBf5eFEiGJZm6pB7XD8FyVc9AiEA/bxg9jFP
un3Xdorxxo1H0kx761k/V5Qt4kxkBYmHsdAwDQYJKoZIhvcNAQELBQADggEBAFdV
EwP/P8X1HzkYcFi82vRbUd9uLn4DnnHJH2Y5mcsH6wXi5hhMtJDMAm4vd39m0r82
MWHvpK+Hxh4e+DzNEiLPowerZNxtRo7bqV67BavDUG5yuAzVPPWZSdoYRwYUQBWM
9QZvVnLdZTh2R3DemH7t6awCu5ePo+XLzJXTMHvW93rzzpktXO6GfsFsXLh5/a43
Go5OaSZZYofmV/SxRiQyvE+RZHysDKAtHcU0xJJRfSzaBrLkAwO55+QSscrdPMpG
B5TCRdCa3nvtJOjfhSCgGi1MWUaLaHviSDTwm6LtczvYtFO+56jQPaMcty4JFeqn
nj67G5R+JlvQHScHGWA=
-----END CERTIFICATE-----
`,
  headers: {
    'paypal-transmission-id': 'afa30d40-ca4a-11e9-ab68-7d4e2605c70c',
    'paypal-transmission-time': '2019-08-29T10:49:33Z',
    'paypal-transmission-sig':
      'K7DF5+hOyGS6v0xTZ9PkEO+BFNQmpryxw2hFlXbHgmxpu+883ldEC9HcL6ccEmB8sfy80y/Q3qcZZL1MR8Qi0e1ysylVj/yROgKK6zBsQPoNmgXC8yTiNoAjULuhk5Aoau0Itk3nrkgAfji1zvADlErMFM9VZe2nDvhM3nDMLjCi/K5fRjWp3eGo6Nx17GX/WIEibeKDyS+YdJMex3i+KO4aWmm9zznC/FJ5Y/ntd0MxOJNrM0r0f3y7c3e3sO5pB3oPgN6KzKVS5P6AWHqtS8acD3DjgCKZ1uqKz7q954G1aBz2/m0wRGOFFsv0/D3FE2uIheRRmoQtVSOAX7Aupg==',
    'paypal-cert-url': 'https://api.sandbox.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-1d93a270',
    'paypal-auth-algo': 'SHA256withRSA'
  },
  body: JSON.stringify({
    id: 'WH-7MU294299R542214K-4N1831857K851783H',
    event_version: '1.0',
    create_time: '2019-08-29T10:49:03.439Z',
    resource_type: 'payment',
    event_type: 'PAYMENTS.PAYMENT.CREATED',
    summary: 'Checkout payment is created and approved by buyer',
    resource: {
      update_time: '2019-08-29T10:48:54Z',
      create_time: '2019-08-29T10:47:51Z',
      links: [
        {
          href: 'https://api.sandbox.paypal.com/v1/payments/payment/PAYID-LVT22VY7N839502VJ678725M',
          rel: 'self',
          method: 'GET'
        }
      ],
      id: 'PAYID-LVT22VY7N839502VJ678725M',
      state: 'approved',
      transactions: [
        {
          amount: {
            total: '30.11',
            currency: 'USD',
            details: {
              subtotal: '30.00',
              tax: '0.07',
              shipping: '0.03',
              insurance: '0.01',
              handling_fee: '1.00',
              shipping_discount: '-1.00'
            }
          },
          payee: { merchant_id: '2BP3WP8PK6566', email: 'jaypatel512-facilitator@hotmail.com' },
          description: 'The payment transaction description.',
          custom: 'EBAY_EMS_90048630024435',
          invoice_number: '48787589673111',
          item_list: {
            items: [
              {
                name: 'hat',
                sku: '1',
                description: 'Brown hat.',
                price: '3.00',
                currency: 'USD',
                tax: '0.01',
                quantity: 5
              },
              {
                name: 'handbag',
                sku: 'product34',
                description: 'Black handbag.',
                price: '15.00',
                currency: 'USD',
                tax: '0.02',
                quantity: 1
              }
            ],
            shipping_address: {
              recipient_name: 'Brian Robinson',
              line1: '4th Floor',
              line2: 'Unit #34',
              city: 'San Jose',
              state: 'CA',
              postal_code: '95131',
              country_code: 'US',
              default_address: false,
              preferred_address: false,
              primary_address: false,
              disable_for_transaction: false
            }
          },
          related_resources: [
            {
              sale: {
                id: '08U30449S6662931K',
                state: 'completed',
                amount: {
                  total: '30.11',
                  currency: 'USD',
                  details: {
                    subtotal: '30.00',
                    tax: '0.07',
                    shipping: '0.03',
                    insurance: '0.01',
                    handling_fee: '1.00',
                    shipping_discount: '-1.00'
                  }
                },
                payment_mode: 'INSTANT_TRANSFER',
                protection_eligibility: 'ELIGIBLE',
                protection_eligibility_type: 'ITEM_NOT_RECEIVED_ELIGIBLE,UNAUTHORIZED_PAYMENT_ELIGIBLE',
                transaction_fee: { value: '1.17', currency: 'USD' },
                parent_payment: 'PAYID-LVT22VY7N839502VJ678725M',
                create_time: '2019-08-29T10:48:54Z',
                update_time: '2019-08-29T10:48:54Z',
                links: [
                  {
                    href: 'https://api.sandbox.paypal.com/v1/payments/sale/08U30449S6662931K',
                    rel: 'self',
                    method: 'GET'
                  },
                  {
                    href: 'https://api.sandbox.paypal.com/v1/payments/sale/08U30449S6662931K/refund',
                    rel: 'refund',
                    method: 'POST'
                  },
                  {
                    href: 'https://api.sandbox.paypal.com/v1/payments/payment/PAYID-LVT22VY7N839502VJ678725M',
                    rel: 'parent_payment',
                    method: 'GET'
                  }
                ]
              }
            }
          ]
        }
      ],
      intent: 'sale',
      payer: {
        payment_method: 'paypal',
        status: 'VERIFIED',
        payer_info: {
          email: 'sb-ahlmo117121@personal.example.com',
          first_name: 'John',
          last_name: 'Doe',
          payer_id: 'WZH5NSHUBE63W',
          shipping_address: {
            recipient_name: 'Brian Robinson',
            line1: '4th Floor',
            line2: 'Unit #34',
            city: 'San Jose',
            state: 'CA',
            postal_code: '95131',
            country_code: 'US',
            default_address: false,
            preferred_address: false,
            primary_address: false,
            disable_for_transaction: false
          },
          phone: '4084959323',
          country_code: 'US'
        }
      },
      cart: '1R7827981J4260732'
    },
    links: [
      {
        href: 'https://api.sandbox.paypal.com/v1/notifications/webhooks-events/WH-7MU294299R542214K-4N1831857K851783H',
        rel: 'self',
        method: 'GET'
      },
      {
        href: 'https://api.sandbox.paypal.com/v1/notifications/webhooks-events/WH-7MU294299R542214K-4N1831857K851783H/resend',
        rel: 'resend',
        method: 'POST'
      }
    ]
  })
} as const
