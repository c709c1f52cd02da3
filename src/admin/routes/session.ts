import { RiverhookError } from '../../index.ts'
import { wrongToken } from '../authenticate.ts'
import { AdminAnswer, type OpenRoute } from '../route.ts'
import { scopes } from '../scope.ts'

const answer = {
  type: 'object',
  required: ['operator', 'canLogIn'],
  properties: {
    operator: {
      anyOf: [
        {
          type: 'object',
          required: ['name', 'scopes', 'via'],
          properties: {
            name: { type: 'string' },
            scopes: { type: 'array', items: { type: 'string', enum: scopes } },
            via: { type: 'string' },
            expiresAt: { type: 'string', format: 'date-time', description: 'the end of the session' }
          }
        },
        { type: 'null' }
      ]
    },
    canLogIn: {
      type: 'boolean',
      description: 'whether POST session takes tokens; otherwise a proxy or the host logs in'
    }
  }
}

const whoAmI: OpenRoute = {
  method: 'GET',
  path: 'session',
  scope: 'none',
  schema: { summary: 'Who am I', response: { 200: answer } },
  handle: ({ visitor, session: { canLogIn } }) => ({ operator: shown(visitor), canLogIn })
}

const logIn: OpenRoute<{ readonly body: { readonly token: string } }> = {
  method: 'POST',
  path: 'session',
  scope: 'none',
  schema: {
    summary: 'Log in with a token: begins a session of 12 hours in a cookie',
    body: {
      type: 'object',
      required: ['token'],
      properties: { token: { type: 'string', maxLength: 512 } },
      additionalProperties: false
    },
    response: { 200: answer }
  },
  async handle({ session, log }, { body: { token } }) {
    if (!session.canLogIn)
      throw new RiverhookError('RIVERHOOK_ADMIN_INVALID', 'There are no tokens here: a proxy or the host logs in')
    const begun = session.begin(token)
    if (begun === undefined) {
      await session.failed()
      throw wrongToken()
    }
    const { visitor, cookie } = begun
    log.info({ operator: visitor.name, scopes: [...visitor.scopes] }, 'operator logged in')
    return new AdminAnswer({
      headers: { 'set-cookie': cookie },
      body: { operator: shown(visitor), canLogIn: true }
    })
  }
}

const logOut: OpenRoute = {
  method: 'DELETE',
  path: 'session',
  scope: 'none',
  schema: { summary: 'Log out: ends the session in this browser', response: { 200: answer } },
  handle: ({ session: { canLogIn, endingHeaders } }) =>
    new AdminAnswer({ headers: endingHeaders(), body: { operator: null, canLogIn } })
}

function shown(visitor: Parameters<OpenRoute['handle']>[0]['visitor']): object | null {
  return visitor === undefined ? null : { ...visitor, scopes: [...visitor.scopes] }
}

export const sessionRoutes: readonly OpenRoute[] = [whoAmI, logIn, logOut]
