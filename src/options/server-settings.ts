import {
  isAnyOf,
  isBoolean,
  isFunction,
  isListOf,
  isOneOf,
  isSpan,
  isText,
  isWholeNumber
} from '../model/option-rules.ts'
import { apiAddress, apiVariables } from './default-names.ts'
import { isAddresses, type Settings } from './setting.ts'

const texts = isListOf(isText, 'a list of texts that are not empty', 1)

/** The settings that only the standalone server has. */
export const serverSettings = {
  host: {
    rule: isText,
    default: '127.0.0.1',
    env: 'RIVERHOOK_HOST',
    means: 'The address to listen on; of a host name, its first address. In the container: `0.0.0.0`'
  },
  port: {
    rule: isWholeNumber(0, 65_535),
    default: 8080,
    env: 'RIVERHOOK_PORT',
    elseEnv: 'PORT',
    means: 'The port to listen on. If it is not set, `PORT` is read, which many platforms set'
  },
  logLevel: {
    rule: isOneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    default: 'info',
    env: 'RIVERHOOK_LOG_LEVEL',
    means: 'The log level: trace, debug, info, warn, error, fatal or silent'
  },
  drainDelay: {
    rule: isSpan({ min: '0s', max: '1h', maxReason: 'the process would outlive every deployment' }),
    default: '5s',
    env: 'RIVERHOOK_DRAIN_DELAY',
    means:
      'How long requests are still recorded after SIGTERM or SIGINT, while readiness reports not ready, so that the load balancer can notice; 0 in a terminal. A second signal ends it'
  },
  requestTimeout: {
    rule: isSpan({ min: '1s', max: '5m' }),
    default: '10s',
    env: 'RIVERHOOK_REQUEST_TIMEOUT',
    means:
      'How long a whole request may take to arrive, at any path. The body of a webhook has its own limit, `RIVERHOOK_ACK_TIMEOUT`'
  },
  maxConnections: {
    rule: isWholeNumber(1),
    default: 1000,
    env: 'RIVERHOOK_MAX_CONNECTIONS',
    means: 'The most connections that are open at the same time; further ones are closed at once'
  },
  trustProxy: {
    rule: isAddresses,
    env: 'RIVERHOOK_TRUST_PROXY',
    means:
      'The proxies in front of the server: addresses, or ranges such as `10.1.0.0/16`, comma-separated. The header `X-Forwarded-For` of their requests gives the address of the sender, for `RIVERHOOK_ALLOW` and the token endpoint'
  },
  admin: {
    rule: {
      expected: 'an address and a port, such as 127.0.0.1:8081',
      accepts: (value: unknown) => typeof value === 'string' && readListenAddress(value) !== undefined
    },
    env: 'RIVERHOOK_ADMIN',
    means:
      "Switches on [the operator's API](admin.md), on a separate listener: an address and a port, such as `127.0.0.1:8081`"
  },
  adminTokens: {
    rule: isAnyOf('lines, as a text or a list, or a function that returns a list', isText, texts, isFunction),
    env: 'RIVERHOOK_ADMIN_TOKENS',
    file: true,
    means:
      "The access tokens of the operator's API: lines `name scope[,scope] sha256:HEX`, which `riverhook admin token` makes. The file is read again when it changes; while it cannot be read, no token is valid"
  },
  adminMetricsOpen: {
    rule: isBoolean,
    env: 'RIVERHOOK_METRICS_OPEN',
    means:
      "`true`: `GET /metrics` of the operator's API needs no token. Otherwise it needs one with the scope `read`. See [docs/observe.md](observe.md)"
  },
  adminHosts: {
    rule: texts,
    env: 'RIVERHOOK_ADMIN_HOSTS',
    means:
      "The names under which browsers reach the operator's API, comma-separated; addresses and `localhost` need not be listed"
  },
  adminProxyHeader: {
    rule: isText,
    env: 'RIVERHOOK_ADMIN_PROXY_HEADER',
    means:
      "The header in which a proxy with a login passes the name of the operator, such as `x-forwarded-user`: the operator's API trusts it"
  },
  adminProxyFrom: {
    rule: texts,
    env: 'RIVERHOOK_ADMIN_PROXY_FROM',
    means:
      'The addresses of that proxy, or ranges such as `10.1.0.0/16`, comma-separated. From any other address, the header is ignored'
  },
  adminProxyOperators: {
    rule: texts,
    env: 'RIVERHOOK_ADMIN_PROXY_OPERATORS',
    means:
      'The operators whom the proxy may name, with their scopes: `alice=read+operate,bob=read`. Default: everybody, with the scope `read`'
  }
} as const satisfies Settings

/** The settings that the client of the default provider's API reads from the environment. */
export const apiSettings = {
  apiKey: {
    rule: isText,
    env: apiVariables.key,
    file: true,
    means: "The confidential key for the provider's API; needed to register and to fetch missed events"
  },
  apiUrl: {
    rule: isText,
    default: apiAddress,
    env: apiVariables.url,
    means: "The URL of the provider's API"
  },
  apiAllowHttp: {
    rule: isBoolean,
    env: apiVariables.allowHttp,
    means: '`true` sends the key to an API with plain `http://` on another machine; https is required otherwise'
  }
} as const satisfies Settings

/** Reads an address and a port, such as `[::1]:8081`. Undefined if it is none. */
export function readListenAddress(text: string): { readonly host: string; readonly port: number } | undefined {
  const [, v6, name, port] = /^(?:\[([\da-f:.]+)\]|([^\s:[\]/]+)):(\d{1,5})$/i.exec(text) ?? []
  const host = v6 ?? name
  return host === undefined || Number(port) > 65_535 ? undefined : { host, port: Number(port) }
}
