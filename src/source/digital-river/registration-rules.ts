import type { RegistrationRules } from '../source.ts'

/** Digital River's own fields of a webhook. Without credentials, the transport stays as it is. */
export const registrationRules: RegistrationRules = {
  fieldsOf: ({ apiVersion, basicAuth, oauth }) => ({
    ...(apiVersion === undefined ? {} : { apiVersion }),
    ...(oauth !== undefined
      ? { transportType: 'OAUTH', oauth }
      : basicAuth !== undefined
        ? { transportType: 'HTTP', authentication: { ...basicAuth } }
        : {})
  }),
  defaults: { transportType: 'HTTP' }
}
