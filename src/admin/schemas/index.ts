/** The requests and answers of the operator's API. `npm run schemas` writes them to `schemas.json`. */
export * from './act.ts'
export * from './event.ts'
export * from './handler.ts'
export * from './look-back.ts'
export * from './manage.ts'
export * from './replay.ts'
export * from './removal.ts'
export * from './session.ts'
