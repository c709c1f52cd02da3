import { address, email, secret, shops, type Example } from './personal-shops.ts'

// Events of each provider with the personal fields that it documents.

export const examples: Readonly<Record<string, readonly Example[]>> = {
  ...shops,
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
