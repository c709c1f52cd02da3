import { Type } from 'typebox'

import { oneOf, origins, strict } from './basic.ts'

export const LoginBody = Type.Object({ token: Type.String({ maxLength: 512 }) }, strict)

export const Session = Type.Object(
  {
    operator: Type.Union([
      Type.Object(
        {
          name: Type.String(),
          scopes: Type.Array(oneOf(['read', 'reveal', 'operate', 'erase'])),
          via: oneOf(origins),
          expiresAt: Type.Optional(Type.String({ format: 'date-time', description: 'the end of the session' }))
        },
        strict
      ),
      Type.Null()
    ]),
    canLogIn: Type.Boolean({
      description: 'whether POST session takes tokens; otherwise a proxy or the host logs in'
    })
  },
  strict
)
