/**
 * The providers for which a project can be made: how `riverhook/sources` names the source, the event type of the
 * handler, what it logs, and the package with the provider's types.
 */
export const sources = {
  'digital-river': {
    type: 'order.accepted',
    log: "log.info({ order: event.data.object.id }, 'ship it')",
    message: 'ship it'
  },
  stripe: {
    factory: 'stripe',
    type: 'invoice.paid',
    log: "log.info({ invoice: event.data.object.id }, 'book it')",
    message: 'book it',
    types: { stripe: '^23.1.0' }
  },
  github: {
    factory: 'github',
    type: 'push',
    log: "log.info('deploy it')",
    message: 'deploy it',
    types: { '@octokit/openapi-webhooks-types': '^12.2.0' }
  },
  shopify: {
    factory: 'shopify',
    type: 'orders/create',
    log: "log.info('ship it')",
    message: 'ship it'
  },
  'standard-webhooks': {
    factory: 'standardWebhooks',
    type: 'user.created',
    log: "log.info('greet them')",
    message: 'greet them'
  }
}
