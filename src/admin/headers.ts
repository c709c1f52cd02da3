import helmet from '@fastify/helmet'
import type { FastifyInstance } from 'fastify'

/** Nothing from another origin, nothing inline, and no text that becomes HTML or a script. */
const directives = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  connectSrc: ["'self'"],
  imgSrc: ["'self'"],
  baseUri: ["'self'"],
  formAction: ["'none'"],
  frameAncestors: ["'none'"],
  requireTrustedTypesFor: ["'script'"],
  trustedTypes: ["'none'"]
}

/** Sets the headers that every answer of this scope has, errors included. Replaces those of the host's policy. */
export async function addHeaders(scope: FastifyInstance): Promise<void> {
  await scope.register(helmet, {
    global: true,
    contentSecurityPolicy: { useDefaults: false, reportOnly: false, directives },
    crossOriginEmbedderPolicy: false,
    crossOriginOpenerPolicy: { policy: 'same-origin' },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    referrerPolicy: { policy: 'no-referrer' },
    xFrameOptions: { action: 'deny' },
    // Whether a domain is only for HTTPS is the host's decision.
    strictTransportSecurity: false
  })
  scope.addHook('onRequest', async (_request, reply) => {
    reply.header('x-robots-tag', 'noindex')
  })
  // A host may allow all its routes to other origins.
  scope.addHook('onSend', async (_request, reply) => {
    for (const name of Object.keys(reply.getHeaders())) if (name.startsWith('access-control-')) reply.removeHeader(name)
  })
}
