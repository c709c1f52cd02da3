import { readListenAddress } from './server-settings.ts'

/** The listener of the operator's API, and who may come in. */
export interface AdminConfig {
  readonly host: string
  readonly port: number
  readonly tokens?: string | readonly string[] | (() => readonly string[])
  readonly hosts: readonly string[]
  /** Whether the metrics need no login. */
  readonly areMetricsOpen: boolean
  readonly proxy?: {
    readonly header: string
    readonly from: readonly string[]
    readonly operators?: readonly { readonly name: string; readonly scopes: readonly string[] }[]
  }
  /** Called with the URL when it listens. */
  readonly onListen?: (url: string) => void
}

/** The settings of the server that are for it. Each has been checked by its rule. */
interface Given {
  readonly admin?: string
  readonly adminTokens?: AdminConfig['tokens']
  readonly adminHosts?: readonly string[]
  readonly adminMetricsOpen?: boolean
  readonly adminProxyHeader?: string
  readonly adminProxyFrom?: readonly string[]
  readonly adminProxyOperators?: readonly string[]
}

const names = [
  'adminTokens',
  'adminMetricsOpen',
  'adminHosts',
  'adminProxyHeader',
  'adminProxyFrom',
  'adminProxyOperators'
] as const

/** Reads the settings of the operator's API. Problems are settings without the one that they belong to. */
export function readAdminConfig(given: Given): {
  readonly config: AdminConfig | undefined
  readonly problems: readonly string[]
} {
  const { admin, adminTokens: tokens, adminHosts: hosts = [], adminProxyHeader: header, adminProxyFrom: from } = given
  const address = admin === undefined ? undefined : readListenAddress(admin)
  if (address === undefined) {
    const idle = admin === undefined ? names.filter((name) => given[name] !== undefined) : []
    return { config: undefined, problems: idle.map((name) => `Option "${name}" has no effect without RIVERHOOK_ADMIN`) }
  }
  const problems: string[] = []
  if (header !== undefined && from === undefined)
    problems.push('Option "adminProxyHeader" needs RIVERHOOK_ADMIN_PROXY_FROM: anybody could send the header')
  const idle = header === undefined ? (['adminProxyFrom', 'adminProxyOperators'] as const) : []
  for (const name of idle)
    if (given[name] !== undefined) problems.push(`Option "${name}" has no effect without RIVERHOOK_ADMIN_PROXY_HEADER`)
  const operators = given.adminProxyOperators?.map(readOperator)
  const proxy = { ...(operators === undefined ? {} : { operators }) }
  const config: AdminConfig = {
    ...address,
    hosts,
    areMetricsOpen: given.adminMetricsOpen === true,
    ...(tokens === undefined ? {} : { tokens }),
    ...(header === undefined || from === undefined ? {} : { proxy: { header, from, ...proxy } })
  }
  return { config, problems }
}

/** Reads `alice=read+operate`. Without scopes: `read`. */
function readOperator(text: string): { readonly name: string; readonly scopes: readonly string[] } {
  const end = text.lastIndexOf('=')
  return end === -1
    ? { name: text, scopes: ['read'] }
    : { name: text.slice(0, end), scopes: text.slice(end + 1).split('+') }
}
