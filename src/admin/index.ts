/** The exports of `riverhook/admin`. */
export { admin, default, type AdminOptions } from './admin.ts'
export type { Authenticate, Operator } from './operator.ts'
export type { ProxyOptions } from './proxy.ts'
export { scopes, type Scope } from './scope.ts'
export type { TokenLines } from './tokens.ts'
