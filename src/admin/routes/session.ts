import type { OpenRoute } from '../route.ts'
import { scopes } from '../scope.ts'

const whoAmI: OpenRoute = {
  method: 'GET',
  path: 'session',
  scope: 'none',
  schema: {
    summary: 'Who am I',
    response: {
      200: {
        type: 'object',
        required: ['operator'],
        properties: {
          operator: {
            anyOf: [
              {
                type: 'object',
                required: ['name', 'scopes', 'via'],
                properties: {
                  name: { type: 'string' },
                  scopes: { type: 'array', items: { enum: scopes } },
                  via: { type: 'string' }
                }
              },
              { type: 'null' }
            ]
          }
        }
      }
    }
  },
  handle: ({ actor, scopes }) => ({
    operator: actor === undefined ? null : { name: actor.name, scopes: [...scopes], via: actor.via }
  })
}

export const sessionRoutes: readonly OpenRoute[] = [whoAmI]
