import type { AdminConfig } from '../../options/admin-config.ts'

/** The operator's page of `riverhook dev`. */
export interface DevPage {
  /** For the server. The page keeps its address and its token when a reload makes another server. */
  readonly admin: () => AdminConfig
  /** The address with the token; undefined if the page is not built, as in a clone. */
  readonly url: () => Promise<string | undefined>
}

/**
 * The operator's page on a free port, with a token for this run. The token is in the fragment of the address, which a
 * browser does not send.
 */
export async function preparePage(host: string): Promise<DevPage> {
  const [{ newToken }, { scopes }] = await Promise.all([
    import('../../admin/tokens.ts'),
    import('../../admin/scope.ts')
  ])
  const { token, line } = newToken('dev', scopes)
  let address: string | undefined
  return {
    admin: () => ({
      areMetricsOpen: false,
      host,
      port: address === undefined ? 0 : Number(new URL(address).port),
      tokens: line,
      hosts: [],
      onListen: (url) => {
        address = url
      }
    }),
    url: async () => (address !== undefined && (await fetch(address)).ok ? `${address}/#token=${token}` : undefined)
  }
}
