/** The exports of `riverhook/admin`. */
export { admin, default, type AdminOptions } from './admin.ts'
export type { Authenticate, Operator } from './operator.ts'
export { scopes, type Scope } from './scope.ts'
