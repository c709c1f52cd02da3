import type { RegisterOptions, TokenClient } from './endpoint-options.ts'
import { tokenEndpointSettings } from './token-settings.ts'

/**
 * The place where the provider is to fetch tokens: the option `register.oauth`, otherwise the endpoint's own token end
 * point, with its first client. The default provider's OpenAPI document knows only the grant `password`, its dashboard
 * also client credentials; the name of that grant in the API is inferred.
 * @param address the public URL of the endpoint
 */
export function registeredOauth(
  {
    register,
    tokenEndpoint
  }: {
    readonly register?: Pick<RegisterOptions, 'oauth'> | undefined
    readonly tokenEndpoint?:
      | { readonly path?: string | undefined; readonly clients: readonly TokenClient[] }
      | undefined
  },
  address: string
): RegisterOptions['oauth'] {
  if (register?.oauth !== undefined || tokenEndpoint === undefined) return register?.oauth
  const { path = tokenEndpointSettings.path.default, clients } = tokenEndpoint
  const [client] = clients
  if (client === undefined) return undefined
  const { clientID, clientSecret, userName, password } = client
  return {
    tokenEndPoint: address.replace(/^(https?:\/\/[^\s/?#]+).*$/is, '$1') + path,
    clientID,
    clientSecret,
    ...(userName === undefined ? { grantType: 'client_credentials' } : { userName, password, grantType: 'password' })
  }
}
